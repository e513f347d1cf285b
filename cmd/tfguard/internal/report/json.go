package report

import (
	"encoding/json"
	"io"
	"unicode/utf8"
)

// JSON renders the report as one JSON document, described by schema.json.
func JSON(w io.Writer, r *Report, _ Options) error { return WriteJSON(w, r) }

// WriteJSON writes a value as all commands write JSON: what is not seen but has an
// effect on the text around it, such as a mark of writing direction, is written out.
func WriteJSON(w io.Writer, v any) error { return writeJSON(w, v, "  ") }

func writeJSON(w io.Writer, v any, indent string) error {
	enc := json.NewEncoder(escaper{w})
	enc.SetIndent("", indent)
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

// An escaper writes a JSON document that is given to it at once.
type escaper struct{ w io.Writer }

func (e escaper) Write(doc []byte) (int, error) {
	var out []byte
	done := 0
	for i := 0; i < len(doc); {
		if doc[i] < utf8.RuneSelf {
			i++
			continue
		}
		r, size := utf8.DecodeRune(doc[i:])
		if unseen(r) {
			out = escape(append(out, doc[done:i]...), r)
			done = i + size
		}
		i += size
	}
	if done > 0 {
		if _, err := e.w.Write(out); err != nil {
			return 0, err
		}
	}
	if _, err := e.w.Write(doc[done:]); err != nil {
		return 0, err
	}
	return len(doc), nil
}
