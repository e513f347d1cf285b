package terraform

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// A Format is what a file looks like from its beginning.
type Format uint8

// The formats that [Sniff] tells apart.
const (
	// Unknown is anything else, YAML and HCL among it.
	Unknown Format = iota
	// Empty is a file of nothing but white space.
	Empty
	// PlanJSON is the output of `terraform show -json` for a saved plan.
	PlanJSON
	// StateJSON is the output of `terraform show -json` for a state.
	StateJSON
	// StateFile is a terraform.tfstate.
	StateFile
	// LogJSON is the output of `terraform plan -json`: one JSON object a line.
	LogJSON
	// Encrypted is a plan or state that OpenTofu encrypted.
	Encrypted
	// PlanFile is a saved plan in Terraform's own binary form, a zip archive.
	PlanFile
	// Zip is another zip archive.
	Zip
	// Gzip is a gzip archive.
	Gzip
	// JSON is a JSON object without any key that would tell more.
	JSON
)

// HeadSize is how much of a file [Sniff] needs to be sure of its answer.
const HeadSize = 4096

// Sniff tells the format of a file from its first bytes ([HeadSize] of them, or
// the whole file if that is shorter). UTF-16 with a byte-order mark is understood.
func Sniff(head []byte) Format {
	switch {
	case bytes.HasPrefix(head, []byte{0x1F, 0x8B}):
		return Gzip
	case bytes.HasPrefix(head, []byte("PK\x03\x04")):
		const name = 30 // where the name of the first file begins
		if len(head) > name && bytes.HasPrefix(head[name:], []byte("tfplan")) {
			return PlanFile
		}
		return Zip
	}
	text, err := io.ReadAll(UTF8(bytes.NewReader(head)))
	if err != nil {
		return Unknown
	}
	text = bytes.TrimSpace(text)
	if len(text) == 0 {
		return Empty
	}
	switch {
	case text[0] == '{':
		return sniffKeys(text)
	case text[0] == '[', jsontext.Value(text).IsValid():
		return JSON
	default:
		return Unknown
	}
}

// sniffKeys decides by the keys of the object that text begins with. The object
// is usually cut short: what comes after the cut is not looked at.
func sniffKeys(text []byte) Format {
	keys := map[string]bool{}
	dec := newDecoder(bytes.NewReader(text))
	if _, err := dec.ReadToken(); err != nil {
		return Unknown
	}
	for dec.PeekKind() == '"' {
		tok, err := dec.ReadToken()
		if err != nil {
			break
		}
		keys[tok.String()] = true
		if dec.SkipValue() != nil {
			break
		}
	}
	return formatOf(keys)
}

// formatOf decides by the keys at the top of a JSON object.
func formatOf(keys map[string]bool) Format {
	switch {
	case keys["@level"] || keys["@message"]:
		return LogJSON
	case keys["encrypted_data"]:
		return Encrypted
	case keys["lineage"] && keys["serial"]:
		return StateFile
	case keys["planned_values"] || keys["resource_changes"] || keys["configuration"] ||
		keys["output_changes"] || keys["resource_drift"]:
		return PlanJSON
	case keys["values"]:
		return StateJSON
	case keys["format_version"] && keys["terraform_version"]:
		return PlanJSON
	case keys["serial"] && keys["terraform_version"]:
		return StateFile
	default:
		return JSON
	}
}

// UTF8 gives the text of r in UTF-8: it skips a byte-order mark and converts UTF-16,
// which PowerShell's redirection writes.
func UTF8(r io.Reader) io.Reader {
	var mark [3]byte
	n, err := io.ReadFull(r, mark[:])
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return io.MultiReader(bytes.NewReader(mark[:n]), failing{err})
	}
	head := mark[:n]
	switch {
	case bytes.Equal(head, []byte{0xEF, 0xBB, 0xBF}):
		return r
	case bytes.HasPrefix(head, []byte{0xFF, 0xFE}):
		return &utf16Reader{src: io.MultiReader(bytes.NewReader(head[2:]), r)}
	case bytes.HasPrefix(head, []byte{0xFE, 0xFF}):
		return &utf16Reader{src: io.MultiReader(bytes.NewReader(head[2:]), r), big: true}
	default:
		return io.MultiReader(bytes.NewReader(head), r)
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// A utf16Reader converts UTF-16 to UTF-8.
type utf16Reader struct {
	src  io.Reader
	big  bool
	odd  []byte // half a unit
	high rune   // first half of a surrogate pair, 0 for none
	out  bytes.Buffer
	err  error
}

func (u *utf16Reader) Read(p []byte) (int, error) {
	for u.out.Len() == 0 {
		if u.err != nil {
			return 0, u.err
		}
		u.fill()
	}
	return u.out.Read(p)
}

func (u *utf16Reader) fill() {
	buf := make([]byte, 8192)
	n, err := u.src.Read(buf)
	u.err = err
	in := slices.Concat(u.odd, buf[:n])
	u.odd = nil
	for len(in) >= 2 {
		r := rune(in[0]) | rune(in[1])<<8
		if u.big {
			r = rune(in[0])<<8 | rune(in[1])
		}
		in = in[2:]
		switch {
		case u.high != 0:
			u.out.WriteRune(utf16.DecodeRune(u.high, r))
			u.high = 0
		case 0xD800 <= r && r < 0xDC00:
			u.high = r
		default:
			u.out.WriteRune(r)
		}
	}
	u.odd = append(u.odd, in...)
	if u.err != nil && (len(u.odd) > 0 || u.high != 0) {
		u.out.WriteRune(utf8.RuneError)
		u.odd, u.high = nil, 0
	}
}

// An InputError says why an input is no plan that can be read, and what to do.
type InputError struct {
	// Name is how the input is called, such as its path.
	Name string
	// Format is what the input is instead of a plan; PlanJSON for a plan that is
	// damaged or of another version.
	Format Format
	// Line and Column are the place of the trouble, 0 if there is none.
	Line, Column int
	// Newer is set for a plan of a format that Terraform may read and tfguard does not.
	Newer bool
	// Msg is one clause or sentence without the name.
	Msg string
}

// Error returns the name, the place and the message.
func (e *InputError) Error() string {
	if e.Line > 0 {
		return fmt.Sprintf("%s:%d:%d: %s", e.Name, e.Line, e.Column, e.Msg)
	}
	return fmt.Sprintf("%s: %s", e.Name, e.Msg)
}

const show = "`terraform show -json tfplan > plan.json`"

var formatMessages = map[Format]string{
	Empty:     "the file is empty; write the plan with " + show,
	StateJSON: "this is a state and not a plan, so it holds no change to judge; save a plan with `terraform plan -out tfplan` and write it with " + show,
	StateFile: "this is a Terraform state file and not a plan; save a plan with `terraform plan -out tfplan` and write it with " + show,
	LogJSON:   "this is the log of `terraform plan -json` and not the plan; save the plan with `terraform plan -out tfplan` and write it with " + show,
	Encrypted: "this plan is encrypted; write it in clear with `tofu show -json tfplan > plan.json` where the key is at hand",
	PlanFile:  "this is a binary plan and not the plan in JSON; write that with " + show,
	Zip:       "this is a zip archive and no Terraform plan",
	Gzip:      "this is a gzip archive; unpack it first with `gunzip`",
	JSON:      "this JSON is no Terraform plan; write the plan with " + show,
	Unknown:   "this is no JSON and so no Terraform plan; write the plan with " + show,
}

func notPlan(name string, f Format) error {
	return &InputError{Name: name, Format: f, Msg: formatMessages[f]}
}
