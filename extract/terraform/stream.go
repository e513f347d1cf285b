package terraform

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
	tfjson "github.com/hashicorp/terraform-json"

	"github.com/tfguard/tfguard/engine/source"
)

// lenient reads what Terraform wrote: names may repeat and text may be damaged
// without that being a reason to refuse a whole plan.
var lenient = []jsontext.Options{jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)}

func newDecoder(r io.Reader) *jsontext.Decoder { return jsontext.NewDecoder(r, lenient...) }

// A shapeError says that a part of a plan is of another kind than Terraform writes:
// what it should tell is then not known, and must not be taken for nothing.
type shapeError struct {
	// path leads to the part, offset is where it begins.
	path   string
	offset int64
	want   string
}

func (e *shapeError) Error() string { return fmt.Sprintf("%s is no %s", e.path, e.want) }

// container reports whether the next value is of a kind, and passes over null. Any
// other value is a [*shapeError].
func container(dec *jsontext.Decoder, kind jsontext.Kind, want string) (bool, error) {
	switch dec.PeekKind() {
	case kind:
		_, err := dec.ReadToken()
		return err == nil, err
	case 'n', 0: // 0: there is no value, and the decoder says why
		return false, dec.SkipValue()
	}
	return false, misfit(dec, want)
}

// misfit passes over a value of another kind than it should be. It returns a
// [*shapeError], or that of the stream.
func misfit(dec *jsontext.Decoder, want string) error {
	raw, err := dec.ReadValue()
	if err != nil {
		return err
	}
	return &shapeError{pathTo(dec.StackPointer()), dec.InputOffset() - int64(len(raw)), want}
}

// skip passes over a value that is not large.
func skip(dec *jsontext.Decoder) error {
	_, err := dec.ReadValue() // faster than to skip it token by token
	return err
}

// pathTo is the way to a value as people write it.
func pathTo(p jsontext.Pointer) string {
	return strings.ReplaceAll(strings.TrimPrefix(string(p), "/"), "/", ".")
}

// usualNames are the names of which a plan has very many, by how they are written.
var usualNames = func() map[string]string {
	out := map[string]string{}
	for _, name := range []string{
		"address", "previous_address", "module_address", "mode", "type", "name", "index", "provider_name", "schema_version",
		"change", "action_reason", "actions", "before", "after", "after_unknown", "before_sensitive", "after_sensitive",
		"values", "sensitive_values", "depends_on", "resources", "provider_config_key", "expressions",
	} {
		out[`"`+name+`"`] = name
	}
	return out
}()

// eachMember calls f for every member of the object that comes next; f reads the
// member's value. Null has none, and another value is a [*shapeError].
func eachMember(dec *jsontext.Decoder, f func(name string) error) error {
	if ok, err := container(dec, '{', "object"); !ok {
		return err
	}
	for dec.PeekKind() != '}' {
		raw, err := dec.ReadValue()
		if err != nil {
			return err
		}
		name, known := usualNames[string(raw)]
		if !known {
			unquoted, _ := jsontext.AppendUnquote(nil, raw) // the decoder took it for a name
			name = string(unquoted)
		}
		if err := f(name); err != nil {
			return err
		}
	}
	_, err := dec.ReadToken()
	return err
}

// eachItem calls f for every item of the list that comes next; f reads the item. Null
// has none, and another value is a [*shapeError].
func eachItem(dec *jsontext.Decoder, f func() error) error {
	if ok, err := container(dec, '[', "list"); !ok {
		return err
	}
	for dec.PeekKind() != ']' {
		if err := f(); err != nil {
			return err
		}
	}
	_, err := dec.ReadToken()
	return err
}

// readInto decodes the next value into v. What has another shape than Terraform writes
// is left out and said so; err is about the stream.
func (p *plan) readInto(dec *jsontext.Decoder, v any) (ok bool, err error) {
	raw, err := dec.ReadValue()
	if err != nil {
		return false, err
	}
	return p.understood(dec, raw, v), nil
}

// understood decodes the value read last into v. What has another shape than Terraform
// writes is left out and said so.
func (p *plan) understood(dec *jsontext.Decoder, raw jsontext.Value, v any) bool {
	err := json.Unmarshal(raw, v)
	if err != nil {
		p.leftOut(dec)
	}
	return err == nil
}

// leftOut tells that the value read last is not understood.
func (p *plan) leftOut(dec *jsontext.Decoder) {
	p.diags = append(p.diags, source.Diagnostic{
		Severity: source.Warning, Summary: "Part of the plan not understood",
		Detail: pathTo(dec.StackPointer()) + " is not of a shape that Terraform writes. It is left out.",
	})
}

// readHead reads a resource whole, with its head. It is not ok if it is none, which is
// told.
func (p *plan) readHead(dec *jsontext.Decoder) (raw jsontext.Value, h head, ok bool, err error) {
	raw, err = dec.ReadValue()
	if err != nil {
		return nil, head{}, false, err
	}
	h = p.peek.head(raw)
	if !h.valid() {
		p.leftOut(dec)
		return nil, head{}, false, nil
	}
	return raw, h, true, nil
}

// A head is what tells whether a resource of a plan is of interest.
type head struct {
	mode, typ, address string
	actions            tfjson.Actions
}

func headOfChange(rc *tfjson.ResourceChange) head {
	h := head{mode: string(rc.Mode), typ: rc.Type, address: rc.Address}
	if rc.Change != nil {
		h.actions = rc.Change.Actions
	}
	return h
}

// valid reports whether a head is that of a resource.
func (h head) valid() bool { return h.mode != "" && h.typ != "" }

// A peeker reads the heads of many resources. The zero peeker is ready for use.
type peeker struct {
	in  bytes.Buffer
	dec *jsontext.Decoder
}

// head reads the head of a resource and, in the order that Terraform writes, no more
// than it must.
func (p *peeker) head(raw jsontext.Value) head {
	var h head
	p.in = *bytes.NewBuffer(raw)
	if p.dec == nil {
		p.dec = newDecoder(&p.in)
	} else {
		p.dec.Reset(&p.in, lenient...)
	}
	dec := p.dec
	text := func(into *string) error {
		if dec.PeekKind() != '"' {
			return dec.SkipValue()
		}
		tok, err := dec.ReadToken()
		*into = tok.String()
		return err
	}
	// Whatever is malformed was found by the outer decoder already.
	_ = eachMember(dec, func(name string) error {
		var err error
		switch name {
		case "mode":
			err = text(&h.mode)
		case "type":
			err = text(&h.typ)
		case "address":
			err = text(&h.address)
		case "values", "expressions":
			if h.valid() {
				return errStop // nothing of interest can follow
			}
			err = skip(dec)
		default:
			err = dec.SkipValue()
		}
		return err
	})
	return h
}

var errStop = errors.New("stop")

// A lineReader remembers where the last lines it passed began, to turn the offset
// of an error into a place. It keeps a bounded number of them.
type lineReader struct {
	r      io.Reader
	offset int64
	lines  int     // newlines passed
	starts []int64 // ring of the offsets after the last newlines
}

const keptLines = 1 << 16

func (l *lineReader) Read(p []byte) (int, error) {
	n, err := l.r.Read(p)
	for i := 0; i < n; {
		j := bytes.IndexByte(p[i:n], '\n')
		if j < 0 {
			break
		}
		i += j + 1
		if start := l.offset + int64(i); len(l.starts) < keptLines {
			l.starts = append(l.starts, start)
		} else {
			l.starts[l.lines%keptLines] = start
		}
		l.lines++
	}
	l.offset += int64(n)
	return n, err
}

// place returns the line and column (both from 1, columns in bytes) of an offset,
// zeros if the line is too far back.
func (l *lineReader) place(offset int64) (line, column int) {
	for i := l.lines - 1; i >= 0 && i >= l.lines-len(l.starts); i-- {
		if start := l.starts[i%keptLines]; start <= offset {
			return i + 2, int(offset-start) + 1
		}
	}
	if l.lines > len(l.starts) {
		return 0, 0
	}
	return 1, int(offset) + 1
}
