package account

import (
	"fmt"

	"github.com/tfguard/tfguard/engine/policy"
	"github.com/tfguard/tfguard/engine/source"
)

// types are the policy types of AWS Organizations that are evaluated.
var types = map[string]policy.Kind{
	"SERVICE_CONTROL_POLICY":  policy.SCP,
	"RESOURCE_CONTROL_POLICY": policy.RCP,
}

// ReadPolicy reads one organization policy: a policy document, or the output of
// `aws organizations describe-policy`, which holds one as a text. name is how
// messages call the file, and the ID of the document.
//
// It returns an [*InputError] for a file that is neither, or that describes a
// policy of another kind. Whatever is wrong with the document itself is a
// diagnostic, and the document is unread.
func ReadPolicy(text []byte, name string, kind policy.Kind) (*policy.Document, source.Diagnostics, error) {
	root, err := parse(text, name)
	if err != nil {
		return nil, nil, err
	}
	origin := source.Origin{Address: name, File: name}
	content, err := describedContent(root, name, kind)
	if err != nil {
		return nil, nil, err
	}
	if content == nil {
		content = root
	} else {
		origin.Attribute = "Policy.Content"
	}
	doc, diags := decode(content, kind, name, origin)
	return doc, diags, nil
}

// describedContent returns the Content of a policy that describe-policy wrote, nil
// for another file.
func describedContent(root *source.Node, name string, kind policy.Kind) (*source.Node, error) {
	described := member(root, "Policy")
	if described == nil {
		return nil, nil
	}
	content := member(described, "Content")
	if content == nil {
		return nil, &InputError{Name: name, Pos: described.Range.Start, Msg: "the Policy of `aws organizations describe-policy` has a Content, and this one has none"}
	}
	if t := member(member(described, "PolicySummary"), "Type"); t != nil && types[t.Text.String()] != kind {
		return nil, &InputError{Name: name, Pos: t.Range.Start, Msg: fmt.Sprintf("this is a %s, and it is named among policies of the kind %s", t.Text, kind)}
	}
	return content, nil
}

// member returns a member of an object, nil if there is none.
func member(n *source.Node, name string) *source.Node {
	if n == nil {
		return nil
	}
	for _, m := range n.Members {
		if m.Name == name {
			return m.Value
		}
	}
	return nil
}
