// Package planfile reads the files that `terraform plan -out` writes: zip archives
// that hold the planned changes, the state before them, and the configuration.
//
// The changes are a protocol buffer with values in MessagePack, as the comments of
// planfile.proto in Terraform's repository describe them. Values are read without
// the schemas of their providers: an object is what its MessagePack says. Lists keep
// the place of an unknown item; everything else that is unknown is left out, as
// `terraform show -json` does.
package planfile

import (
	"archive/zip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
)

// Bounds on what is unpacked, in bytes. The plan is held in memory, the state is
// streamed, and each file of the configuration is read when it is asked for. A plan
// of 10,000 resources has less than 40 MB in JSON.
const (
	maxPlan    = 512 << 20
	maxState   = 2 << 30
	maxSource  = 16 << 20
	maxEntries = 1 << 16
)

// version is the format that Terraform has written since 0.12, and OpenTofu with it.
const version = 3

// A VersionError says that a plan is of a format that is not read.
type VersionError struct {
	// Version of the format, and the program that wrote it.
	Version   uint64
	Terraform string
}

func (e *VersionError) Error() string {
	return fmt.Sprintf("this binary plan is of format %d (Terraform %s), and only format %d is read", e.Version, e.Terraform, version)
}

// An Error says in one clause why a file is no readable plan.
type Error struct{ msg string }

func (e *Error) Error() string { return e.msg }

func damaged(format string, args ...any) error { return &Error{fmt.Sprintf(format, args...)} }

// A Plan is what a plan file says about the plan as a whole.
type Plan struct {
	// Terraform is the version of the program that wrote the plan.
	Terraform string
	// Timestamp is when the plan was made (RFC 3339), empty in plans of before
	// Terraform 1.5.
	Timestamp string
	Errored   bool
	// Incomplete is set for a plan of a part of the configuration.
	Incomplete bool
	// Variables are the values of root variables that were given.
	Variables map[string]any
}

// A Change is what the plan does to one resource instance or data source.
type Change struct {
	Address string
	// Previous is the address it had before, if that differs.
	Previous string
	// Deposed is the key of an object that is left over from a replacement.
	Deposed string
	// Actions are named as in JSON plans: "create", "delete", …
	Actions []string
	// InCheck is set for a data source in a check block.
	InCheck bool
	// Before and After are trees of JSON values, nil if there is no object. Unknown
	// and the sensitive trees have true where a value is so.
	Before, After                            any
	Unknown, BeforeSensitive, AfterSensitive any
}

// A Visitor is given the changes of a plan.
type Visitor struct {
	// Wants reports whether the values of a change are to be read.
	Wants func(address string, actions []string) bool
	// Change is called for each change that is wanted.
	Change func(*Change)
	// Odd is called for each that is wanted and cannot be read.
	Odd func(address string, err error)
	// Deferred is called for each change that is left to a further plan; may be nil.
	Deferred func(address string)
}

// A File is an open plan file.
type File struct{ zip *zip.Reader }

// Open reads the directory of a plan file of a size in bytes. It returns an [*Error]
// for what is not the zip archive of a plan.
func Open(r io.ReaderAt, size int64) (*File, error) {
	z, err := zip.NewReader(r, size)
	if err != nil {
		return nil, damaged("this is a damaged zip archive (%v)", err)
	}
	if len(z.File) > maxEntries {
		return nil, damaged("this zip archive has %d files, more than any plan", len(z.File))
	}
	if !slices.ContainsFunc(z.File, func(f *zip.File) bool { return f.Name == "tfplan" }) {
		return nil, damaged("this zip archive is no Terraform plan: it has no file tfplan")
	}
	return &File{z}, nil
}

// open opens a file of the archive, of at most so many bytes unpacked.
func (f *File) open(name string, limit int64) (io.ReadCloser, error) {
	r, err := f.zip.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if err != nil {
		return nil, damaged("the plan file is damaged: %s cannot be unpacked (%v)", name, err)
	}
	return &limited{r, name, limit}, nil
}

// A limited reader makes one clause of what is wrong with a file of an archive.
type limited struct {
	fs.File
	name string
	left int64
}

func (l *limited) Read(p []byte) (int, error) {
	n, err := l.File.Read(p)
	l.left -= int64(n)
	switch {
	case l.left < 0:
		return 0, damaged("the plan file is refused: %s is larger than any plan's, once unpacked", l.name)
	case err != nil && !errors.Is(err, io.EOF):
		return n, damaged("the plan file is damaged: %s cannot be unpacked (%v)", l.name, err)
	}
	return n, err
}

// Plan reads the plan and gives its changes to v, in the order of the file. It
// returns a [*VersionError], an [*Error], or the error of ctx.
func (f *File) Plan(ctx context.Context, v *Visitor) (*Plan, error) {
	r, err := f.open("tfplan", maxPlan)
	if err != nil {
		return nil, err
	}
	defer func() { _ = r.Close() }() // it was read and no more
	text, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	return readPlan(ctx, text, v)
}

// Configuration is the configuration that the plan was made from: modules.json,
// which names the modules, and the source files of each in a folder "m-" and the
// module's key, such as "m-" for the root and "m-network.subnets". It is nil if the
// plan file has none.
//
// modules.json is a list of {Key, Source, Dir}, Dir being the folder of the module
// below the one that Terraform was run in.
func (f *File) Configuration() fs.FS {
	if _, err := fs.Stat(f.zip, "tfconfig"); err != nil {
		return nil
	}
	sub, err := fs.Sub(f.zip, "tfconfig")
	if err != nil {
		return nil
	}
	return bounded{sub}
}

// bounded are the files of an archive, none of them larger than a source file is.
type bounded struct{ fs.FS }

func (b bounded) Open(name string) (fs.File, error) {
	f, err := b.FS.Open(name)
	if err != nil {
		return nil, err
	}
	if dir, ok := f.(fs.ReadDirFile); ok {
		return dir, nil
	}
	return &limited{f, name, maxSource}, nil
}
