package terraform

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/tfguard/tfguard/engine/policy"
	"github.com/tfguard/tfguard/engine/source"
	"github.com/tfguard/tfguard/engine/symbol"
)

// What Terraform marks sensitive must not be shown. Policies are kept as they are
// and marked ([policy.Document.Sensitive]); every other sensitive value is replaced
// by a symbol before anything is made of it. A name that is sensitive in one place is
// the same symbol wherever it stands, so that what belongs together still meets.

// withheld is the detail of diagnostics about sensitive policies.
const withheld = "The detail is withheld, because Terraform marks the value as sensitive."

// A secret stands in a tree of values for a value that must not be shown.
type secret struct{ text symbol.Text }

// A name is a sensitive name with the symbol that stands for it.
type name struct {
	value  string
	symbol symbol.Text
}

// Inside of other texts sensitive names are looked for if they have leastName bytes,
// as whole words, and from longName bytes on anywhere: shorter ones stand in too many
// texts by chance.
const (
	leastName = 3
	longName  = 8
)

// names are attributes, beside those of the tables, that name a resource.
var names = map[string]bool{
	"arn": true, "id": true, "name": true, "bucket": true, "role": true, "user": true, "group": true,
	"policy_arn": true, "function_name": true, "key_id": true, "s3_bucket_name": true,
}

// naming reports how well an attribute names what it belongs to: 0 not at all, 1 is
// the name of the resource itself.
func naming(typ, attr string) int {
	rule := arnRules[typ]
	switch {
	case rule != nil && rule.name == attr:
		return 1
	case names[attr], slices.ContainsFunc(carriers, func(c carrier) bool { return c.typ == typ && c.target == attr }):
		return 2
	}
	return 0
}

// hide takes the sensitive values out of the instances of a world, which come in the
// order of their addresses.
func (w *world) hide(all []*instance) {
	for _, rank := range []int{1, 2} {
		for _, in := range all {
			w.collect(in, in.values, in.sensitive, rank)
			w.collect(in, in.before, in.sensitiveBefore, rank)
		}
	}
	for _, in := range all {
		in.before = w.without(in, in.before, in.sensitiveBefore)
		in.values = w.without(in, in.values, in.sensitive)
	}
}

// collect notes the sensitive names of an instance.
func (w *world) collect(in *instance, values map[string]any, marks any, rank int) {
	if !marked(marks) {
		return
	}
	for _, attr := range sortedKeys(values) {
		value, ok := values[attr].(string)
		if !ok || value == "" || naming(in.typ, attr) != rank || at(marks, attr) != true || isPolicy(in.typ, attr) {
			continue
		}
		if _, changed := w.mask(value); changed && strings.ContainsAny(value, ":/") {
			continue // an ARN or the like that a sensitive name stands in
		}
		if slices.ContainsFunc(w.secrets, func(n name) bool { return n.value == value }) {
			continue
		}
		s := symbol.Symbol{Name: in.address + "." + attr}
		if !strings.ContainsAny(value, ":/*?$") {
			s.Class = symbol.Segment
		}
		w.secrets = append(w.secrets, name{value, s.Text()})
		slices.SortStableFunc(w.secrets, func(a, b name) int { return -cmp.Compare(len(a.value), len(b.value)) })
	}
}

// mask replaces the sensitive names in a text, and reports whether there is one.
func (w *world) mask(s string) (symbol.Text, bool) {
	for _, n := range w.secrets {
		if s == n.value {
			return n.symbol, true
		}
		if i := n.in(s); i >= 0 {
			before, _ := w.mask(s[:i])
			after, _ := w.mask(s[i+len(n.value):])
			return symbol.Concat(before, n.symbol, after), true
		}
	}
	return symbol.Literal(s), false
}

// maskText is mask for the literal parts of a text.
func (w *world) maskText(t symbol.Text) symbol.Text {
	var parts []symbol.Text
	for literal, unknown := range t.Parts() {
		part := unknown.Text()
		if literal != "" {
			part, _ = w.mask(literal)
		}
		parts = append(parts, part)
	}
	return symbol.Concat(parts...)
}

// in returns where the name stands in a text, -1 if it does not.
func (n *name) in(s string) int {
	if len(n.value) < leastName {
		return -1
	}
	for from := 0; ; from++ {
		i := strings.Index(s[from:], n.value)
		if i < 0 {
			return -1
		}
		from += i
		before, after := s[:from], s[from+len(n.value):]
		if len(n.value) >= longName || (before == "" || !inWord(before[len(before)-1])) && (after == "" || !inWord(after[0])) {
			return from
		}
	}
}

// inWord reports whether a byte is one of those that names are made of.
func inWord(b byte) bool {
	return b == '-' || b == '_' || b >= '0' && b <= '9' || b >= 'A' && b <= 'Z' || b >= 'a' && b <= 'z'
}

// isPolicy reports whether an attribute holds a policy document.
func isPolicy(typ, path string) bool {
	return slices.ContainsFunc(carriers, func(c carrier) bool { return c.typ == typ && c.path == path })
}

// without returns the values of an instance without the sensitive ones.
func (w *world) without(in *instance, values map[string]any, marks any) map[string]any {
	if values == nil || len(w.secrets) == 0 && !marked(marks) {
		return values
	}
	out, _ := w.hidden(in, "", "", values, marks).(map[string]any)
	return out
}

// hidden returns a tree of values without the sensitive ones: place is path with
// the numbers of list items.
func (w *world) hidden(in *instance, path, place string, v, marks any) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for key, item := range v {
			out[key] = w.hidden(in, join(path, key), join(place, key), item, at(marks, key))
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, item := range v {
			m := marks
			if list, ok := marks.([]any); ok {
				m = nil
				if i < len(list) {
					m = list[i]
				}
			}
			out[i] = w.hidden(in, path+"[]", fmt.Sprintf("%s[%d]", place, i), item, m)
		}
		return out
	case string:
		switch {
		case v == "":
			return v
		case isPolicy(in.typ, path):
			if marks == true {
				w.sensitivePolicies[canonicalJSON(v)] = true
			}
			return v
		}
		if t, changed := w.mask(v); changed {
			return secret{t}
		}
	case json.Number, float64:
	default:
		return v
	}
	if marks != true {
		return v
	}
	return secret{symbol.Symbol{Name: in.address + "." + place}.Text()}
}

// canonicalJSON is a text by which two spellings of one JSON value are equal.
func canonicalJSON(text string) string {
	v := jsontext.Value(text)
	if v.Canonicalize(lenient...) != nil {
		return text
	}
	return string(v)
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// single is the text of one value; empty if it is none.
func single(v any) symbol.Text {
	if t, ok := scalar(v); ok {
		return t
	}
	if c := constants(v); len(c) == 1 {
		return c[0].text
	}
	return symbol.Text{}
}

// parse reads a policy. Sensitive names in it become symbols; where they stand in a
// Sid or in what names an element the whole policy is sensitive.
func (w *world) parse(text, id string, kind policy.Kind, origin source.Origin) (*policy.Document, source.Diagnostics) {
	if _, found := w.mask(text); !found {
		return w.parsePlain(text, id, kind, origin)
	}
	node, err := source.ParseJSON(text)
	if err != nil {
		doc, diags := policy.Parse(text, id, kind, origin)
		doc.Sensitive = true
		return doc, diags
	}
	shown := w.maskNode(node)
	doc, diags := policy.Decode(node, id, kind, origin)
	doc.Sensitive = !shown
	return doc, diags
}

// A parsedPolicy is one that need not be parsed again: most policies are the same
// before and after a change.
type parsedPolicy struct {
	text  string
	doc   policy.Document
	diags source.Diagnostics
}

// parsePlain is [policy.Parse] for a text that may have been parsed already.
func (w *world) parsePlain(text, id string, kind policy.Kind, origin source.Origin) (*policy.Document, source.Diagnostics) {
	if known := w.parsed[id]; known != nil && known.text == text && known.doc.Kind == kind {
		doc := known.doc
		return &doc, known.diags
	}
	doc, diags := policy.Parse(text, id, kind, origin)
	if w.parsed != nil {
		w.parsed[id] = &parsedPolicy{text, *doc, slices.Clone(diags)}
	}
	return doc, diags
}

// maskNode replaces the sensitive names in the strings of a document, and reports
// whether its Sids and the names of its members hold none.
func (w *world) maskNode(n *source.Node) bool {
	shown := true
	if n.Kind == source.String && len(w.secrets) > 0 {
		n.Text = w.maskText(n.Text)
	}
	for _, m := range n.Members {
		_, found := w.mask(m.Name)
		if s, known := m.Value.Text.Literal(); m.Name == "Sid" && known {
			_, found = w.mask(s)
		} else {
			shown = w.maskNode(m.Value) && shown
		}
		shown = shown && !found
	}
	for _, item := range n.Items {
		shown = w.maskNode(item) && shown
	}
	return shown
}
