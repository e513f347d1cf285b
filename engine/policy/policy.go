// Package policy is the policy language: JSON policy documents as positioned
// statements whose values may be partly unknown.
//
// The grammar is that of the AWS page "Grammar of the IAM JSON policy language".
// Decode with [Parse] or, from a tree that knows its places, with [Decode]; both
// return everything they could understand and [source.Diagnostics] about the rest.
package policy

import (
	"github.com/tfguard/tfguard/engine/arn"
	"github.com/tfguard/tfguard/engine/condition"
	"github.com/tfguard/tfguard/engine/kleene"
	"github.com/tfguard/tfguard/engine/source"
	"github.com/tfguard/tfguard/engine/symbol"
)

// A Kind says how a policy takes part in a decision.
type Kind string

// The kinds of policies.
const (
	Identity    Kind = "identity"
	Resource    Kind = "resource"
	Trust       Kind = "trust"
	Boundary    Kind = "boundary"
	Session     Kind = "session"
	SCP         Kind = "scp"
	RCP         Kind = "rcp"
	VPCEndpoint Kind = "vpcEndpoint"
)

// takesPrincipal reports whether statements of the kind name principals.
func (k Kind) takesPrincipal() bool {
	return k == Resource || k == Trust || k == RCP || k == VPCEndpoint
}

// An Effect is what a statement that applies does.
type Effect string

// The effects.
const (
	Allow Effect = "Allow"
	Deny  Effect = "Deny"
)

// A Document is one policy.
type Document struct {
	// ID names the policy in decisions and reports, such as "identity[0]" or
	// "aws_s3_bucket_policy.data.policy".
	ID     string
	Kind   Kind
	Origin source.Origin
	// Range is where the whole document stands.
	Range source.Range
	// Version is "2012-10-17" or "2008-10-17".
	Version    string
	Statements []Statement
	// Unread says why the content is not known; a decision that could depend on
	// the policy is then unknown. Empty for a policy that was read.
	Unread string
	// Sensitive policies are evaluated and never shown: what a decision tells of
	// them is their ID, kind and places and what they did, and nothing else of the
	// world is read off them.
	Sensitive bool
	// Grant is set for a document that is no policy of the resource but stands for what
	// else grants on its side: an S3 access control list, a grant of a KMS key, a share
	// of AWS Resource Access Manager. It may allow in the place of the resource's
	// policy, and the resource is taken to have none for it.
	Grant bool
	// Gateway says whether the policy is of a gateway endpoint: it then means the root
	// user alone where it names an account (AWS PrivateLink page "Control access to VPC
	// endpoints using endpoint policies"). [Decode] cannot tell from the text.
	Gateway kleene.Truth
}

// An Attached is a document that takes part in a decision, and whether it
// certainly does: the target of an attachment may itself be known only after apply.
type Attached struct {
	*Document
	// Sure is True for a document that takes part and Unknown for one that may.
	Sure kleene.Truth
	// Why says what an Unknown attachment hangs on.
	Why string
}

// A Statement is one statement of a policy.
type Statement struct {
	// Index counts from 1 in the order of the document.
	Index  int
	Sid    string
	Effect Effect
	// Principals is nil where the document names none.
	Principals *Principals
	Actions    Actions
	// Resources is nil where the document names none: trust policies, and resource
	// policies of services whose statements mean the resource they stand on.
	Resources  *Resources
	Conditions []condition.Condition
	Range      source.Range
	// Unknown names the parts that are not known at all; the statement can then at
	// best apply perhaps. Where nothing of it is known, its elements match every
	// action and resource, and perhaps every principal.
	Unknown []string
	// holes are where Unknown is from.
	holes []hole
}

// Principals is the Principal or NotPrincipal element. One that is not known at
// all has an entry of each type, of one unknown text.
type Principals struct {
	Not     bool
	Entries []Principal
	Range   source.Range
}

// Element returns the name of the element: "Principal" or "NotPrincipal".
func (p *Principals) Element() string { return elementName(p.Not, "Principal") }

func elementName(not bool, name string) string {
	if not {
		return "Not" + name
	}
	return name
}

// A PrincipalType is the key a principal stands under.
type PrincipalType string

// The types of principals. Everyone is "*" alone or under AWS.
const (
	Everyone      PrincipalType = "*"
	AWS           PrincipalType = "AWS"
	Service       PrincipalType = "Service"
	Federated     PrincipalType = "Federated"
	CanonicalUser PrincipalType = "CanonicalUser"
)

// A Principal is one entry of a Principal element.
type Principal struct {
	Type PrincipalType
	// Text is the ARN, account id, service name, provider or canonical id.
	Text  symbol.Text
	Range source.Range
	// Never is set for an entry that no caller can be, such as a partial wildcard.
	Never bool
}

// Everyone reports whether the entry is "*": Unknown for an AWS principal that may
// turn out to be.
func (p *Principal) Everyone() kleene.Truth {
	switch {
	case p.Type == Everyone:
		return kleene.True
	case p.Type == AWS && !p.Never:
		return symbol.Equal(p.Text, symbol.Literal("*"))
	default:
		return kleene.False
	}
}

// Actions is the Action or NotAction element.
type Actions struct {
	Not     bool
	Entries []Action
	Range   source.Range
}

// Element returns the name of the element: "Action" or "NotAction".
func (a *Actions) Element() string { return elementName(a.Not, "Action") }

// An Action is one pattern of an Action element.
type Action struct {
	Text   symbol.Text
	Range  source.Range
	prefix symbol.Pattern
	name   symbol.Pattern
	all    bool
	// whole is set in place of prefix and name where an unknown hides the colon.
	whole *symbol.Pattern
}

// Match reports whether an action, "prefix:Name" in any case, is among the actions:
// for NotAction, whether it is not listed.
func (a *Actions) Match(prefix, name string) kleene.Truth {
	out := kleene.False
	for i := range a.Entries {
		out = max(out, a.Entries[i].match(prefix, name))
		if out == kleene.True {
			break
		}
	}
	if a.Not {
		return kleene.Not(out)
	}
	return out
}

func (a *Action) match(prefix, name string) kleene.Truth {
	switch {
	case a.all:
		return kleene.True
	case a.whole != nil:
		return a.whole.Match(symbol.Literal(prefix+":"+name), nil)
	case a.prefix.Excludes(prefix), a.name.Excludes(name):
		return kleene.False
	}
	return min(a.prefix.Match(symbol.Literal(prefix), nil), a.name.Match(symbol.Literal(name), nil))
}

// Resources is the Resource or NotResource element.
type Resources struct {
	Not     bool
	Entries []ResourcePattern
	Range   source.Range

	variables bool
}

// Element returns the name of the element: "Resource" or "NotResource".
func (r *Resources) Element() string { return elementName(r.Not, "Resource") }

// Variables reports whether some pattern refers to keys of the request context.
func (r *Resources) Variables() bool { return r.variables }

// A ResourcePattern is one pattern of a Resource element.
type ResourcePattern struct {
	arn.Pattern
	Range source.Range
}

// Match reports whether a resource is among the resources: for NotResource,
// whether no pattern matches. contested returns the pattern whose answer hangs on
// how a '*' before a colon is read, if any.
func (r *Resources) Match(t symbol.Text, lookup symbol.Lookup) (truth kleene.Truth, contested string) {
	a, ok := arn.Parse(t)
	return r.MatchParsed(t, &a, ok, lookup)
}

// MatchParsed is [Resources.Match] for a text that [arn.Parse] was asked about.
func (r *Resources) MatchParsed(t symbol.Text, a *arn.ARN, isARN bool, lookup symbol.Lookup) (truth kleene.Truth, contested string) {
	out := kleene.False
	for i := range r.Entries {
		m, c := r.Entries[i].MatchParsed(t, a, isARN, lookup)
		if c {
			contested = r.Entries[i].Text().String()
		}
		out = max(out, m)
		if out == kleene.True {
			contested = ""
			break
		}
	}
	if r.Not {
		return kleene.Not(out), contested
	}
	return out, contested
}
