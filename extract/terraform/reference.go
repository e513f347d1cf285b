package terraform

import (
	"strconv"
	"strings"
)

// A step is one name of a reference or address with the instance key after it.
type step struct {
	name string
	// index is nil, a string (for_each) or an int (count).
	index any
}

// parseSteps splits a reference such as module.m["a.b"].aws_iam_role.x[0].arn.
// Instance keys may hold any character, so it reads them as quoted strings. What
// cannot be read ends the list.
func parseSteps(ref string) []step {
	var steps []step
	for ref != "" {
		end := strings.IndexAny(ref, ".[")
		if end < 0 {
			return append(steps, step{name: ref})
		}
		s := step{name: ref[:end]}
		ref = ref[end:]
		for strings.HasPrefix(ref, "[") {
			key, rest, ok := parseKey(ref[1:])
			if !ok {
				return append(steps, s)
			}
			// Of x[0][1] the first key is the one that names an instance.
			if s.index == nil {
				s.index = key
			}
			ref = rest
		}
		steps = append(steps, s)
		ref = strings.TrimPrefix(ref, ".")
	}
	return steps
}

// parseKey reads an instance key and the bracket that closes it.
func parseKey(s string) (key any, rest string, ok bool) {
	if strings.HasPrefix(s, `"`) {
		quoted, err := strconv.QuotedPrefix(s)
		if err != nil || !strings.HasPrefix(s[len(quoted):], "]") {
			return nil, "", false
		}
		text, err := strconv.Unquote(quoted)
		// HCL escapes the start of a template by doubling its sign.
		text = strings.NewReplacer("$${", "${", "%%{", "%{").Replace(text)
		return text, s[len(quoted)+1:], err == nil
	}
	index, rest, ok := strings.Cut(s, "]")
	if !ok {
		return nil, "", false
	}
	n, err := strconv.Atoi(index)
	if err != nil {
		return nil, rest, true
	}
	return n, rest, true
}

// joinSteps writes steps in one canonical spelling, to be compared.
func joinSteps(steps []step) string {
	var b strings.Builder
	for i, s := range steps {
		if i > 0 {
			b.WriteByte('.')
		}
		b.WriteString(s.name)
		switch k := s.index.(type) {
		case int:
			b.WriteString("[" + strconv.Itoa(k) + "]")
		case string:
			b.WriteString("[" + strconv.Quote(k) + "]")
		}
	}
	return b.String()
}

// indexKey brings the index of a resource, as JSON decodes it, to nil, string or int.
func indexKey(v any) any {
	switch k := v.(type) {
	case string:
		return k
	case float64:
		return int(k)
	default:
		return nil
	}
}

// leaves drops from a list of references those that only shorten the one before
// them, and repetitions.
func leaves(refs []string) []string {
	var out []string
	seen := map[string]bool{}
	last := ""
	for _, ref := range refs {
		if rest, ok := strings.CutPrefix(last, ref); ok && (rest == "" || rest[0] == '.' || rest[0] == '[') {
			continue
		}
		last = ref
		if !seen[ref] {
			seen[ref] = true
			out = append(out, ref)
		}
	}
	return out
}
