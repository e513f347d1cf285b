package report

import (
	"encoding/json"
	"io"
)

// JSON renders the report as one JSON document, described by schema.json.
func JSON(w io.Writer, r *Report, _ Options) error { return WriteJSON(w, r) }

// WriteJSON writes a value as all commands write JSON.
func WriteJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}
