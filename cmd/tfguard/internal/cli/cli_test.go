package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/tfguard/tfguard/cmd/tfguard/internal/report"
	"github.com/tfguard/tfguard/fixtures"
)

// full is a writer of which nothing can be written.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space left") }

func noEnv(string) (string, bool) { return "", false }

// Whatever writes to stdout says so when it cannot.
func TestWriteErrors(t *testing.T) {
	path := fixtures.Path(t, "terraform/scp-force-iac/plan.json")
	for _, args := range [][]string{{"check", path}, {"check", "-o", "json", path}, {"version"}} {
		var stderr bytes.Buffer
		code := Main(t.Context(), args, Streams{In: strings.NewReader(""), Out: full{}, Err: &stderr, Env: noEnv}, Version{})
		if code != exitFailed || !strings.HasPrefix(stderr.String(), "tfguard: ") || !strings.HasSuffix(stderr.String(), "no space left\n") {
			t.Errorf("%v: exit code %d, stderr %q", args, code, stderr.String())
		}
	}
}

// An interrupted check writes no report.
func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var stdout, stderr bytes.Buffer
	code := Main(ctx, []string{"check", fixtures.Path(t, "terraform/scp-force-iac/plan.json")},
		Streams{In: strings.NewReader(""), Out: &stdout, Err: &stderr, Env: noEnv}, Version{})
	if code != exitFailed || stdout.Len() > 0 || !strings.HasPrefix(stderr.String(), "tfguard: interrupted") {
		t.Errorf("exit code %d, stdout %q, stderr %q", code, stdout.String(), stderr.String())
	}
}

// Without a plan, a keyboard is asked for nothing.
func TestKeyboard(t *testing.T) {
	var stdout, stderr bytes.Buffer
	code := Main(t.Context(), []string{"check"}, Streams{In: nil, Out: &stdout, Err: &stderr, Env: noEnv, Keyboard: true}, Version{})
	if code != exitFailed || stdout.Len() > 0 || !strings.Contains(stderr.String(), "name a plan, or pipe one in") {
		t.Errorf("exit code %d, stdout %q, stderr %q", code, stdout.String(), stderr.String())
	}
}

func TestColor(t *testing.T) {
	for _, c := range []struct {
		name     string
		terminal bool
		flag     bool
		env      map[string]string
		want     bool
	}{
		{"a pipe", false, false, nil, false},
		{"a terminal", true, false, nil, true},
		{"the flag", true, true, nil, false},
		{"NO_COLOR", true, false, map[string]string{"NO_COLOR": "1"}, false},
		{"NO_COLOR, empty", true, false, map[string]string{"NO_COLOR": ""}, true},
		{"a CI system", true, false, map[string]string{"CI": "true"}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := &rendering{noColor: c.flag, streams: Streams{Terminal: c.terminal, Env: func(name string) (string, bool) {
				v, ok := c.env[name]
				return v, ok
			}}}
			if got := o.color(); got != c.want {
				t.Errorf("color() = %v, want %v", got, c.want)
			}
		})
	}
}

// An output is a format, or a format with a file; only one goes to standard output.
func TestOutputs(t *testing.T) {
	for _, c := range []struct {
		flags []string
		want  string // what they come to, or the error
	}{
		{nil, "text"},
		{[]string{"json"}, "json"},
		{[]string{"text", "sarif=out.sarif", "json=a=b.json"}, "text,sarif=out.sarif,json=a=b.json"},
		{[]string{"sarif=out.sarif,junit=-"}, "sarif=out.sarif,junit"},
		{[]string{"yaml"}, "it takes FORMAT or FORMAT=FILE, and the formats are " + strings.Join(report.Formats(), ", ")},
		{[]string{"json="}, "json= names no file"},
		{[]string{"text", "json=-"}, "text and json cannot both go to standard output: give one a file, such as json=FILE"},
	} {
		o := newRendering(Streams{}, Version{})
		var err error
		for _, flag := range c.flags {
			err = errors.Join(err, o.outputs.Set(flag))
		}
		if got := o.outputs.String(); err == nil && got != c.want || err != nil && err.Error() != c.want {
			t.Errorf("%q: %s, %v; want %s", c.flags, got, err, c.want)
		}
	}
}

// One file takes one report, however its path is written.
func TestOutputsShareNoFile(t *testing.T) {
	folder := t.TempDir()
	t.Chdir(folder)
	if err := os.Mkdir("sub", 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile("real.json", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.Symlink("real.json", "link.json"), os.Symlink("sub", "other")); err != nil {
		t.Skip(err)
	}
	for _, c := range []struct {
		one, other string
		same       bool
	}{
		{"out", "out", true},
		{"out", "./out", true},
		{"out", "sub/../out", true},
		{"out", filepath.Join(folder, "out"), true},
		{"real.json", "link.json", true},
		{"sub/out", "other/out", true},
		{"out", "sub/out", false},
		{"-", "out", false},
	} {
		o := newRendering(Streams{}, Version{})
		if err := o.outputs.Set("sarif=" + c.one + ",json=" + c.other); err != nil {
			t.Fatal(err)
		}
		want := ""
		if c.same {
			want = fmt.Sprintf("-o sarif=%s and json=%s: two reports cannot both go to one file", c.one, c.other)
		}
		if got := fmt.Sprint(o.ready()); got != want && (want != "" || got != "<nil>") {
			t.Errorf("%s and %s: %s", c.one, c.other, got)
		}
	}
}

// A file is written whole or not at all, keeps its permissions, and nothing is left
// beside it.
func TestWriteFile(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "report.json")
	write := func(path, words string, err error) error {
		return writeFile(path, func(w io.Writer) error {
			_, _ = io.WriteString(w, words)
			return err
		})
	}
	holds := func(want string) {
		t.Helper()
		got, err := os.ReadFile(path)
		if err != nil || string(got) != want {
			t.Errorf("the file holds %q, %v; want %q", got, err, want)
		}
		if entries, _ := os.ReadDir(folder); len(entries) > 2 {
			t.Errorf("something is left beside it: %v", entries)
		}
	}
	if err := write(path, "first", nil); err != nil {
		t.Fatal(err)
	}
	holds("first")
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	broken := errors.New("broken")
	if err := write(path, "half", broken); !errors.Is(err, broken) {
		t.Errorf("%v", err)
	}
	holds("first")
	if err := write(path, "second", nil); err != nil {
		t.Fatal(err)
	}
	holds("second")
	if info, err := os.Stat(path); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o640 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if err := write(filepath.Join(folder, "none", "report.json"), "", nil); err == nil {
		t.Error("a file in no folder")
	}
	link := filepath.Join(folder, "link")
	if err := os.Symlink("report.json", link); err != nil {
		t.Skip(err)
	}
	if err := write(link, "third", nil); err != nil {
		t.Fatal(err)
	}
	holds("third")
	if info, err := os.Lstat(link); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link is gone: %v", err)
	}
}

// A folder that cannot be read, or a file in it, is said and not passed over.
func TestExpand(t *testing.T) {
	folder := t.TempDir()
	plan := fixtures.Read(t, "terraform/scp-force-iac/plan.json")
	for name, content := range map[string][]byte{
		"b.json": plan, "a/plan.json": plan, ".hidden/plan.json": plan, "node_modules/plan.json": plan,
		"plan.txt": plan, "package.json": []byte(`{"name": "x"}`), "empty.json": nil, "short.json": []byte("{"),
	} {
		path := filepath.Join(folder, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got, err := expand(folder)
	if err != nil {
		t.Fatal(err)
	}
	want := filepath.Join(folder, "a", "plan.json") + " " + filepath.Join(folder, "b.json")
	if strings.Join(got, " ") != want {
		t.Errorf("got  %v\nwant %s", got, want)
	}
}

// What the linker was told goes before what the toolchain recorded.
func TestVersionIsComplete(t *testing.T) {
	v := Version{Version: "v1.2.3", Commit: "0123456789abcdef", Date: "2026-11-21"}
	if got := v.complete(); got != v {
		t.Errorf("complete() = %+v, want %+v", got, v)
	}
	var stdout bytes.Buffer
	if code := Main(t.Context(), []string{"version"}, Streams{Out: &stdout, Env: noEnv}, v); code != exitOK ||
		!strings.HasPrefix(stdout.String(), "tfguard v1.2.3 (0123456789ab 2026-11-21) go") {
		t.Errorf("exit code %d, %q", code, stdout.String())
	}
}
