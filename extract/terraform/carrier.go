package terraform

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/tfguard/tfguard/engine/policy"
	"github.com/tfguard/tfguard/engine/source"
	"github.com/tfguard/tfguard/engine/symbol"
	"github.com/tfguard/tfguard/extract"
)

// A builder makes the inventory of one plan.
type builder struct {
	*resolver
	*extract.Register
	// told is the account that somebody else tells.
	told extract.Fact
	// latePolicies are known only after apply, and not recovered yet.
	latePolicies []*latePolicy
	// known are the policies that the plan tells, if there is a source that tells
	// where they are written.
	known []knownPolicy
	// carried are the documents of each instance, in the order of its attributes.
	carried   map[*instance][]carried
	resources map[*instance]*extract.Resource
	// strangers are the resources that only policies of the input name.
	strangers map[symbol.Text]*extract.Resource
	indexes   map[string]*extract.Index[*instance]
	// echoes are the policies that each role, by name, shows and another resource sets.
	echoes map[string]map[string]bool
	// owned are the kinds of policies of each role, user or group, and the policies of
	// that kind, that one resource owns: "inline", "inline name", "managed arn".
	owned map[*instance]map[string]bool
}

// A carried policy is one that was found on an instance.
type carried struct {
	doc     *policy.Document
	carrier *carrier
	// name is that of the block that holds the policy, if there are several.
	name symbol.Text
	// computed is set for what the configuration does not ask for: the plan shows
	// what the service answered before the change.
	computed bool
}

func (b *builder) warn(in *instance, attr, summary, detail string, args ...any) {
	b.Warn(source.Origin{Address: in.address, Attribute: attr}, source.Range{}, summary, detail, args...)
}

// readPolicies finds the policy documents of all instances.
func (b *builder) readPolicies() {
	for i := range carriers {
		c := &carriers[i]
		for _, in := range b.byType[c.typ] {
			b.readCarrier(in, c)
		}
	}
}

func (b *builder) readCarrier(in *instance, c *carrier) {
	kind := c.kind
	if c.typ == "aws_organizations_policy" {
		switch t, ok := in.values["type"].(string); {
		case t == "RESOURCE_CONTROL_POLICY":
			kind = policy.RCP
		case ok && t != "" && t != "SERVICE_CONTROL_POLICY":
			return // tag, backup and other policies have grammars of their own
		}
	}
	list, leaf, nested := strings.Cut(c.path, "[].")
	if !nested {
		doc := b.document(in, c.path, in.values[c.path], at(in.unknown, c.path), at(in.sensitive, c.path), kind, func() bool { return c.required() || b.configured(in, c.path) })
		if doc != nil {
			b.carried[in] = append(b.carried[in], carried{doc: doc, carrier: c, computed: !in.isUnknown(c.path) && !b.written(in, c.path)})
		}
		return
	}
	if at(in.unknown, list) == true {
		var doc *policy.Document
		switch {
		case b.configured(in, list):
			doc = b.latePolicy(in, list, kind, marked(at(in.sensitive, list)))
		case b.evaluator() != nil && b.evaluate.HasBlocks(placeOf(in), list):
			// Of dynamic blocks a plan in JSON keeps nothing, the source does.
			doc = b.unread(in, list, kind, "how many there are is known only after apply")
		default:
			return
		}
		b.carried[in] = append(b.carried[in], carried{doc: doc, carrier: c})
		return
	}
	values, _ := in.values[list].([]any)
	unknown, _ := at(in.unknown, list).([]any)
	marks := at(in.sensitive, list)
	sensitive, _ := marks.([]any)
	for i := range max(len(values), len(unknown)) {
		path := fmt.Sprintf("%s[%d].%s", list, i, leaf)
		value, unk := element(values, i), element(unknown, i)
		mark := marks == true // Terraform marks sets of blocks as a whole
		mark = mark || marked(at(element(sensitive, i), leaf))
		doc := b.document(in, path, at(value, leaf), at(unk, leaf), mark, kind, func() bool { return true })
		if doc == nil {
			continue
		}
		b.carried[in] = append(b.carried[in], carried{doc: doc, carrier: c, name: single(at(value, "name")), computed: !marked(unk) && !b.written(in, list)})
	}
}

// document reads the policy at one attribute; nil where there is none.
func (b *builder) document(in *instance, path string, value, unknown, sensitive any, kind policy.Kind, configured func() bool) *policy.Document {
	if marked(unknown) {
		if !configured() {
			return nil
		}
		return b.latePolicy(in, path, kind, marked(sensitive))
	}
	text, ok := value.(string)
	switch {
	case value == nil || ok && text == "":
		return nil
	case !ok:
		return b.unread(in, path, kind, "the plan holds something other than a string here")
	}
	id := in.address + "." + path
	doc, diags := b.parse(text, id, kind, source.Origin{Address: in.address, Attribute: path})
	doc.Sensitive = doc.Sensitive || marked(sensitive) || len(b.sensitivePolicies) > 0 && b.sensitivePolicies[canonicalJSON(text)]
	b.report(doc, diags)
	b.Enter(doc)
	if b.source != nil {
		b.known = append(b.known, knownPolicy{latePolicy{in: in, path: path, doc: doc}, text})
	}
	return doc
}

// report passes on what there is to say about a document.
func (b *builder) report(doc *policy.Document, diags source.Diagnostics) {
	b.Diagnostics = append(b.Diagnostics, told(doc, diags)...)
}

// told is what there is to say about a document, in the words for people.
func told(doc *policy.Document, diags source.Diagnostics) source.Diagnostics {
	for i := range diags {
		if doc.Sensitive {
			diags[i].Detail = withheld
		}
		// The document stays, as one that could not be read: nothing is lost by
		// carrying on.
		diags[i].Severity = min(diags[i].Severity, source.Warning)
	}
	return diags
}

// latePolicy enters a policy that is known only after apply; [builder.recoverPolicies]
// reads it later.
func (b *builder) latePolicy(in *instance, path string, kind policy.Kind, sensitive bool) *policy.Document {
	list, rest, nested := strings.Cut(path, "[")
	doc := b.unread(in, path, kind, b.lateReason(in, list))
	doc.Sensitive = sensitive
	late := &latePolicy{in: in, path: path, doc: doc}
	if in.config != nil {
		late.expression = in.config.expressions[list]
	}
	if nested {
		number, leaf, _ := strings.Cut(rest, "].")
		i, _ := strconv.Atoi(number)
		items, _ := in.values[list].([]any)
		if block := blockOf(late.expression, element(items, i), 0, 0, true).blocks; block != nil {
			late.expression = block[0][leaf]
		} else {
			late.expression = expression{}
		}
	}
	b.latePolicies = append(b.latePolicies, late)
	return doc
}

func (b *builder) unread(in *instance, path string, kind policy.Kind, reason string) *policy.Document {
	doc := policy.Unread(in.address+"."+path, kind, source.Origin{Address: in.address, Attribute: path}, reason)
	b.Enter(doc)
	return doc
}

// lateReason says on which references an attribute hangs.
func (b *builder) lateReason(in *instance, attr string) string {
	var refs []string
	if in.config != nil {
		e := in.config.expressions[attr]
		refs = leaves(e.references)
		for _, block := range e.blocks {
			refs = append(refs, leaves(block["policy"].references)...)
		}
	}
	if len(refs) == 0 {
		return "known only after apply"
	}
	const most = 4
	more := ""
	if len(refs) > most {
		refs, more = refs[:most], ", …"
	}
	return "known only after apply (" + strings.Join(refs, ", ") + more + ")"
}
