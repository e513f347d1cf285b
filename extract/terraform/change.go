package terraform

import (
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
	tfjson "github.com/hashicorp/terraform-json"
)

// A changeReader reads the changes of a plan, each in one go and to its end, odd or not: there are many, and their
// values are most of what is kept of a plan.
type changeReader struct {
	// words are names of attributes and the like, marks the trees of marks that were
	// read so far, by their JSON: resources of one type mostly have the same.
	words map[string]string
	marks map[string]any
	text  []byte // the string read last
	odd   *shapeError
}

// Bounds of what a changeReader remembers.
const (
	maxWord  = 1 << 6 // bytes
	maxWords = 1 << 12
	maxMark  = 1 << 10 // bytes
	maxMarks = 1 << 10
)

func newChangeReader() *changeReader {
	return &changeReader{words: map[string]string{}, marks: map[string]any{}}
}

// read reads the next value. odd is the first part of it that has another shape than
// Terraform writes; err is about the stream. Of a change that is of no interest, as its
// type says before, the actions are read and not the values.
func (r *changeReader) read(dec *jsontext.Decoder) (rc *tfjson.ResourceChange, odd *shapeError, err error) {
	rc, r.odd = new(tfjson.ResourceChange), nil
	passed := false
	err = r.each(dec, func(name string) (err error) {
		switch name {
		case "address":
			err = r.string(dec, &rc.Address)
		case "previous_address":
			err = r.string(dec, &rc.PreviousAddress)
		case "module_address":
			err = r.word(dec, &rc.ModuleAddress)
		case "mode":
			err = r.word(dec, (*string)(&rc.Mode))
		case "type":
			err = r.word(dec, &rc.Type)
		case "name":
			err = r.word(dec, &rc.Name)
		case "index":
			rc.Index, err = r.value(dec, nil)
		case "deposed":
			err = r.string(dec, &rc.DeposedKey)
		case "action_reason":
			err = r.word(dec, (*string)(&rc.ActionReason))
		case "change":
			h := headOfChange(rc)
			passed = h.valid() && !kept(h)
			rc.Change, err = r.change(dec, !passed)
		default:
			err = skip(dec)
		}
		return err
	})
	if err != nil {
		return rc, r.odd, err
	}
	if h := headOfChange(rc); !h.valid() || h.mode != "managed" && h.mode != "data" {
		// The address tells what it is about.
		if h.typ == "" {
			r.lacks(dec, "type", "type of a resource")
		}
		r.lacks(dec, "mode", "mode of a resource")
		at := changeAt(rc.Address)
		rc.Mode, rc.Type = at.Mode, at.Type
	}
	if kept(headOfChange(rc)) {
		r.complete(dec, rc, passed)
	}
	return rc, r.odd, nil
}

// lacks notes that a part of the change that was read last is not what it should be.
func (r *changeReader) lacks(dec *jsontext.Decoder, part, want string) {
	_ = r.note(&shapeError{path: join(pathTo(dec.StackPointer()), part), want: want})
}

// complete notes what a change of interest lacks.
func (r *changeReader) complete(dec *jsontext.Decoder, rc *tfjson.ResourceChange, passed bool) {
	lacks := func(part, want string) { r.lacks(dec, part, want) }
	object := func(v any) bool { _, ok := v.(map[string]any); return ok }
	c := rc.Change
	switch {
	case rc.Address == "":
		lacks("address", "text")
	case passed: // it was another type when the values were passed over
		lacks("type", "single text")
	case c == nil:
		lacks("change", "object")
	case len(c.Actions) == 0:
		lacks("change.actions", "list of actions")
	case c.Before != nil && !object(c.Before), c.Before == nil && slices.Contains(c.Actions, tfjson.ActionForget):
		lacks("change.before", "object")
	case !object(c.After) && (c.After != nil || len(c.Actions) > 1 || c.Actions[0] != tfjson.ActionDelete && c.Actions[0] != tfjson.ActionForget):
		lacks("change.after", "object")
	}
}

// change reads what changes, or the actions alone.
func (r *changeReader) change(dec *jsontext.Decoder, values bool) (*tfjson.Change, error) {
	if dec.PeekKind() == 'n' {
		return nil, skip(dec)
	}
	c := new(tfjson.Change)
	err := r.each(dec, func(name string) (err error) {
		switch {
		case name == "actions":
			c.Actions = nil
			return r.note(eachItem(dec, func() error {
				var action string
				err := r.word(dec, &action)
				c.Actions = append(c.Actions, tfjson.Action(action))
				return err
			}))
		case !values, name == "before" && c.Actions.NoOp():
			return skip(dec)
		}
		switch name {
		case "before":
			c.Before, err = r.value(dec, nil)
		case "after":
			c.After, err = r.value(dec, c.Before)
		case "after_unknown":
			c.AfterUnknown, err = r.mark(dec)
		case "before_sensitive":
			c.BeforeSensitive, err = r.mark(dec)
		case "after_sensitive":
			c.AfterSensitive, err = r.mark(dec)
		default:
			err = skip(dec)
		}
		return err
	})
	if c.Actions.NoOp() {
		c.Before = c.After
	}
	return c, err
}

// note keeps an error about the shape of a part, which is then left out.
func (r *changeReader) note(err error) error {
	var shape *shapeError
	if !errors.As(err, &shape) {
		return err
	}
	if r.odd == nil {
		r.odd = shape
	}
	return nil
}

func (r *changeReader) each(dec *jsontext.Decoder, f func(name string) error) error {
	return r.note(eachMember(dec, f))
}

// string reads a text that stands in few places, word one that stands in many.
func (r *changeReader) string(dec *jsontext.Decoder, into *string) error {
	return r.unquoted(dec, func(raw jsontext.Value) { *into = r.unquote(raw, "") })
}

func (r *changeReader) word(dec *jsontext.Decoder, into *string) error {
	return r.unquoted(dec, func(raw jsontext.Value) { *into = r.known(raw) })
}

func (r *changeReader) unquoted(dec *jsontext.Decoder, f func(raw jsontext.Value)) error {
	switch dec.PeekKind() {
	case '"':
		raw, err := dec.ReadValue()
		if err == nil {
			f(raw)
		}
		return err
	case 'n', 0: // 0: there is no value, and the decoder says why
		return skip(dec)
	}
	return r.note(misfit(dec, "text"))
}

// unquote returns what a JSON string says: before itself, if it says the same.
func (r *changeReader) unquote(raw jsontext.Value, before string) string {
	r.text, _ = jsontext.AppendUnquote(r.text[:0], raw) // the decoder took it for a string
	if string(r.text) == before {
		return before
	}
	return string(r.text)
}

// known returns what a JSON string says that is remembered.
func (r *changeReader) known(raw jsontext.Value) string {
	name, ok := r.words[string(raw)]
	if !ok {
		name = r.unquote(raw, "")
		if len(raw) <= maxWord && len(r.words) < maxWords {
			r.words[string(raw)] = name
		}
	}
	return name
}

// mark reads a tree of marks.
func (r *changeReader) mark(dec *jsontext.Decoder) (any, error) {
	raw, err := dec.ReadValue()
	if err != nil {
		return nil, err
	}
	tree, ok := r.marks[string(raw)]
	if ok {
		return tree, nil
	}
	key, at, before := string(raw), pathTo(dec.StackPointer()), r.odd
	r.odd = nil
	tree, err = r.value(newDecoder(strings.NewReader(key)), nil)
	_, isList := tree.([]any)
	switch {
	case r.odd != nil:
		r.odd.path = join(at, r.odd.path) // which began inside
	case isList, !isMarks(tree):
		r.odd = &shapeError{path: at, want: "tree of marks"}
	case len(key) <= maxMark && len(r.marks) < maxMarks:
		r.marks[key] = tree
	}
	if before != nil {
		r.odd = before
	}
	return tree, err
}

// isMarks reports whether a value is true, false, or made of such values.
func isMarks(v any) bool {
	switch v := v.(type) {
	case nil, bool:
		return true
	case []any:
		return !slices.ContainsFunc(v, func(item any) bool { return !isMarks(item) })
	case map[string]any:
		for _, item := range v {
			if !isMarks(item) {
				return false
			}
		}
		return true
	}
	return false
}

// value reads a value as encoding/json does; of names that repeat the last counts. A
// text that is the same in the same place before is kept once. (Where names may repeat
// the decoder's own library goes by reflection.)
func (r *changeReader) value(dec *jsontext.Decoder, before any) (any, error) {
	switch dec.PeekKind() {
	case '{':
		return r.object(dec, before)
	case '[':
		return r.list(dec, before)
	}
	raw, err := dec.ReadValue()
	if err != nil {
		return nil, err
	}
	switch raw.Kind() {
	case 't':
		return true, nil
	case 'f':
		return false, nil
	case '"':
		was, _ := before.(string)
		return r.unquote(raw, was), nil
	case '0':
		f, err := strconv.ParseFloat(string(raw), 64)
		if err != nil {
			return nil, r.note(&shapeError{pathTo(dec.StackPointer()), dec.InputOffset() - int64(len(raw)), "number of this size"})
		}
		return f, nil
	default:
		return nil, nil
	}
}

func (r *changeReader) object(dec *jsontext.Decoder, before any) (any, error) {
	if _, err := dec.ReadToken(); err != nil {
		return nil, err
	}
	was, _ := before.(map[string]any)
	out := map[string]any{}
	for dec.PeekKind() != '}' {
		raw, err := dec.ReadValue()
		if err != nil {
			return nil, err
		}
		name := r.known(raw)
		if out[name], err = r.value(dec, was[name]); err != nil {
			return nil, err
		}
	}
	_, err := dec.ReadToken()
	return out, err
}

func (r *changeReader) list(dec *jsontext.Decoder, before any) (any, error) {
	if _, err := dec.ReadToken(); err != nil {
		return nil, err
	}
	was, _ := before.([]any)
	out := []any{}
	for dec.PeekKind() != ']' {
		item, err := r.value(dec, element(was, len(out)))
		if err != nil {
			return nil, err
		}
		out = append(out, item)
	}
	_, err := dec.ReadToken()
	return out, err
}
