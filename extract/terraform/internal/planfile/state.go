package planfile

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strconv"
	"strings"
	"unicode"

	"github.com/go-json-experiment/json/jsontext"
)

// A Resource is a resource instance or data source in the state before the change.
type Resource struct {
	Address, Module, Mode, Type, Name string
	// Index is the instance key as JSON has it: nil, a string or a float64.
	Index any
	// Values are the attributes; Sensitive has true where one is so.
	Values    map[string]any
	Sensitive any
}

// A Stock is given the resources of the state.
type Stock struct {
	// Wants reports whether the instances of a resource are to be read.
	Wants func(mode, typ string) bool
	// Resource is called for each instance that is wanted.
	Resource func(*Resource)
}

// stateVersion is the format of state files since Terraform 0.12.
const stateVersion = 4

// State reads the state before the change, refreshed if the plan refreshed it, and
// gives its resources to s. It returns an [*Error] or the error of ctx.
func (f *File) State(ctx context.Context, s *Stock) error {
	r, err := f.open("tfstate", maxState)
	if errors.Is(err, fs.ErrNotExist) {
		return damaged("the plan file is damaged: it has no file tfstate")
	}
	if err != nil {
		return err
	}
	defer func() { _ = r.Close() }() // it was read and no more
	if err := readState(ctx, r, s); err != nil {
		var known *Error
		if ctx.Err() != nil || errors.As(err, &known) {
			return err
		}
		return damaged("the plan file is damaged: its state cannot be read (%v)", err)
	}
	return nil
}

func readState(ctx context.Context, r io.Reader, s *Stock) error {
	dec := jsontext.NewDecoder(r, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	return members(dec, func(name string) error {
		switch name {
		case "version":
			raw, err := dec.ReadValue()
			if err == nil && string(raw) != strconv.Itoa(stateVersion) {
				err = fmt.Errorf("it is of version %s", raw)
			}
			return err
		case "resources":
			return items(dec, func() error {
				if err := ctx.Err(); err != nil {
					return err
				}
				raw, err := dec.ReadValue()
				if err != nil {
					return err
				}
				return s.block(raw)
			})
		default:
			return dec.SkipValue()
		}
	})
}

// members calls f for every member of an object.
func members(dec *jsontext.Decoder, f func(name string) error) error {
	return within(dec, '{', '}', func() error {
		tok, err := dec.ReadToken()
		if err != nil {
			return err
		}
		return f(tok.String())
	})
}

// items calls f for every item of an array.
func items(dec *jsontext.Decoder, f func() error) error { return within(dec, '[', ']', f) }

func within(dec *jsontext.Decoder, begin, end jsontext.Kind, f func() error) error {
	if dec.PeekKind() != begin {
		return dec.SkipValue()
	}
	if _, err := dec.ReadToken(); err != nil {
		return err
	}
	for dec.PeekKind() != end {
		if err := f(); err != nil {
			return err
		}
	}
	_, err := dec.ReadToken()
	return err
}

// block reads the instances of one resource block.
func (s *Stock) block(raw []byte) error {
	var block struct {
		Module, Mode, Type, Name string
		Instances                jsontext.Value
	}
	if err := json.Unmarshal(raw, &block); err != nil {
		return err
	}
	if !s.Wants(block.Mode, block.Type) {
		return nil
	}
	var instances []struct {
		Key        any            `json:"index_key"`
		Deposed    string         `json:"deposed"`
		Attributes map[string]any `json:"attributes"`
		Sensitive  [][]struct {
			Value any `json:"value"`
		} `json:"sensitive_attributes"`
	}
	if err := json.Unmarshal(block.Instances, &instances); err != nil {
		return err
	}
	for i := range instances {
		in := &instances[i]
		if in.Deposed != "" || in.Attributes == nil {
			continue
		}
		out := &Resource{
			Module: block.Module, Mode: block.Mode, Type: block.Type, Name: block.Name,
			Index: in.Key, Values: in.Attributes,
		}
		for _, path := range in.Sensitive {
			var steps []any
			for _, step := range path {
				if key, ok := step.Value.(map[string]any); ok { // of a list or map
					step.Value = key["value"]
				}
				steps = append(steps, step.Value)
			}
			out.Sensitive = mark(out.Sensitive, steps)
		}
		out.Address = out.address()
		s.Resource(out)
	}
	return nil
}

// address spells the address as the plan does.
func (r *Resource) address() string {
	out := r.Type + "." + r.Name
	if r.Mode == "data" {
		out = "data." + out
	}
	if r.Module != "" {
		out = r.Module + "." + out
	}
	switch key := r.Index.(type) {
	case string:
		out += "[" + quote(key) + "]"
	case float64:
		out += "[" + strconv.FormatFloat(key, 'f', -1, 64) + "]"
	}
	return out
}

// quote writes an instance key as HCL does.
func quote(key string) string {
	var b strings.Builder
	b.WriteByte('"')
	for i, r := range key {
		switch {
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\t':
			b.WriteString(`\t`)
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case (r == '$' || r == '%') && strings.HasPrefix(key[i+1:], "{"):
			b.WriteRune(r)
			b.WriteRune(r)
		case unicode.IsPrint(r):
			b.WriteRune(r)
		case r < 1<<16:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			fmt.Fprintf(&b, `\U%08x`, r)
		}
	}
	b.WriteByte('"')
	return b.String()
}
