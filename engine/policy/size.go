package policy

import (
	"bytes"
	"unicode/utf8"

	"github.com/tfguard/tfguard/engine/source"
)

// longest is the number of characters, white space aside, that no policy of a kind
// may have, whatever it is attached to (AWS pages "IAM and AWS STS quotas", "Quotas
// for AWS Organizations", "Control access to VPC endpoints using endpoint policies",
// as of May 2026). Resource-based policies have a limit of their own in each service.
var longest = map[Kind]int{
	Identity: 10_240, Boundary: 6_144, Session: 2_048, Trust: 8_192, SCP: 10_240, RCP: 5_120, VPCEndpoint: 20_480,
}

// size warns of a document that AWS will refuse for its length or its characters.
func (d *decoder) size(n *source.Node, text string) {
	most, limited := longest[d.doc.Kind]
	if !limited || plain(text) && len(text) <= most || !known(n) {
		return
	}
	whole, _ := n.MarshalJSON() // never fails
	if got := utf8.RuneCount(whole); got > most {
		d.warn(n.Range, "Policy too long", "The policy has %d characters without white space, and one of kind %s may have %d: AWS refuses it.", got, d.doc.Kind, most)
	}
	if at := bytes.IndexFunc(whole, func(r rune) bool { return r > 0xFF }); at >= 0 {
		r, _ := utf8.DecodeRune(whole[at:])
		d.warn(n.Range, "Character that policies cannot have", "The policy has the character %q; AWS takes those up to U+00FF.", r)
	}
}

// plain reports whether a text is there, and ASCII without escapes.
func plain(text string) bool {
	for i := range len(text) {
		if c := text[i]; c >= utf8.RuneSelf || c == '\\' {
			return false
		}
	}
	return text != ""
}

// known reports whether nothing in a tree is unknown.
func known(n *source.Node) bool {
	for _, m := range n.Members {
		if !known(m.Value) {
			return false
		}
	}
	for _, item := range n.Items {
		if !known(item) {
			return false
		}
	}
	return n.Kind != source.Unknown && n.Text.Known()
}
