package extract

import (
	"fmt"
	"slices"

	"github.com/tfguard/tfguard/engine/arn"
	"github.com/tfguard/tfguard/engine/kleene"
	"github.com/tfguard/tfguard/engine/policy"
	"github.com/tfguard/tfguard/engine/source"
	"github.com/tfguard/tfguard/engine/symbol"
)

// A Register enters policies in an inventory, and the managed policies that an
// input names without defining them.
type Register struct {
	*Inventory
	// ManagedPolicy gives the document of an AWS managed policy by its name, such as
	// "AdministratorAccess", and false for one it does not know. May be nil.
	ManagedPolicy func(name string) (*policy.Document, bool)
	// Diagnostics are added to.
	Diagnostics source.Diagnostics

	entries    map[*policy.Document]*Policy
	awsManaged map[string]*policy.Document
	outside    map[symbol.Text]*policy.Document
	boundaries map[*policy.Document]*policy.Document
}

// NewRegister returns a register for an inventory.
func NewRegister(inv *Inventory, managed func(name string) (*policy.Document, bool)) *Register {
	return &Register{
		Inventory: inv, ManagedPolicy: managed,
		entries:    map[*policy.Document]*Policy{},
		awsManaged: map[string]*policy.Document{},
		outside:    map[symbol.Text]*policy.Document{},
		boundaries: map[*policy.Document]*policy.Document{},
	}
}

// Warn adds a warning about a place of the input.
func (r *Register) Warn(at source.Origin, rng source.Range, summary, detail string, args ...any) {
	r.Diagnostics = append(r.Diagnostics, source.Diagnostic{
		Severity: source.Warning, Summary: summary, Detail: fmt.Sprintf(detail, args...), Origin: at, Range: rng,
	})
}

// Enter adds a document to the policies of the inventory.
func (r *Register) Enter(doc *policy.Document) {
	p := &Policy{Document: doc}
	r.entries[doc] = p
	r.Policies = append(r.Policies, p)
}

// SetARN records the ARN of a managed policy.
func (r *Register) SetARN(doc *policy.Document, t symbol.Text) {
	if p := r.entries[doc]; p != nil {
		p.ARN = t
	}
}

// Remove takes a document from the policies of the inventory, as far as they will be
// after [Register.Tidy].
func (r *Register) Remove(doc *policy.Document) { delete(r.entries, doc) }

// Recovered records how a document was found that the input does not hold as a text.
func (r *Register) Recovered(doc *policy.Document, how Recovery) {
	if p := r.entries[doc]; p != nil {
		p.Recovered = &how
	}
}

// AttachTo records where a document is attached.
func (r *Register) AttachTo(doc *policy.Document, where string) {
	if p := r.entries[doc]; p != nil && !slices.Contains(p.AttachedTo, where) {
		p.AttachedTo = append(p.AttachedTo, where)
	}
}

// Attach appends an attachment unless the document is there already; the surer of
// two stays.
func Attach(list []policy.Attached, doc *policy.Document, sure kleene.Truth, why string) []policy.Attached {
	for i := range list {
		if list[i].Document == doc {
			if sure > list[i].Sure {
				list[i].Sure, list[i].Why = sure, why
			}
			return list
		}
	}
	if sure == kleene.True {
		why = ""
	}
	return append(list, policy.Attached{Document: doc, Sure: sure, Why: why})
}

// AWSManaged returns the document of the AWS managed policy with an ARN, and false
// for the ARN of another policy. at and rng are where the input names it.
func (r *Register) AWSManaged(t symbol.Text, at source.Origin, rng source.Range) (*policy.Document, bool) {
	a, ok := arn.Parse(t)
	if !ok || a[arn.Account] != symbol.Literal("aws") {
		return nil, false
	}
	name := a.Name().String()
	if doc := r.awsManaged[name]; doc != nil {
		return doc, true
	}
	var doc *policy.Document
	if r.ManagedPolicy != nil {
		if found, ok := r.ManagedPolicy(name); ok && found != nil {
			own := *found // the inventory names it by this input's ARN
			own.ID, own.Kind = t.String(), policy.Identity
			doc = &own
		}
	}
	if doc == nil {
		doc = policy.Unread(t.String(), policy.Identity, at, "the AWS managed policy "+name+" is not known to this version")
		r.Warn(at, rng, "AWS managed policy not known",
			"The document of %s is not known, so what it allows is unknown. Update tfguard if the name is spelled right.", t)
	}
	r.awsManaged[name] = doc
	r.Enter(doc)
	r.SetARN(doc, t)
	return doc, true
}

// outsideSummary is what is said of a policy that an input does not define.
const outsideSummary = "Policy outside of the input"

// Outside returns the document, unread, of a managed policy that the input names
// and does not define. at and rng are where it names it.
func (r *Register) Outside(t symbol.Text, at source.Origin, rng source.Range) *policy.Document {
	doc := r.outside[t]
	if doc == nil {
		doc = policy.Unread(t.String(), policy.Identity, at, "the policy is not part of this input")
		r.outside[t] = doc
		r.Enter(doc)
		r.SetARN(doc, t)
		r.Warn(at, rng, outsideSummary,
			"%s is attached here, and its document is not part of this input. What depends on it stays unknown.", t)
	}
	return doc
}

// AsBoundary returns a managed policy in its use as the permissions boundary of the
// principal with an address.
func (r *Register) AsBoundary(m policy.Attached, address string) policy.Attached {
	doc := r.boundaries[m.Document]
	if doc == nil {
		own := *m.Document
		own.Kind = policy.Boundary
		own.ID = m.ID + " (boundary)"
		doc = &own
		r.boundaries[m.Document] = doc
		r.Enter(doc)
		r.SetARN(doc, r.entries[m.Document].ARN)
	}
	r.AttachTo(doc, address)
	m.Document = doc
	return m
}

// Tidy takes from the inventory what was removed, and policies that the input does not
// define and that serve as permissions boundary alone: there they have an entry of
// their own.
func (r *Register) Tidy() {
	for doc := range r.boundaries {
		if p := r.entries[doc]; p != nil && len(p.AttachedTo) == 0 && doc.Origin.Address+"."+doc.Origin.Attribute != doc.ID {
			r.Remove(doc)
		}
	}
	r.Policies = slices.DeleteFunc(r.Policies, func(p *Policy) bool { return r.entries[p.Document] != p })
}
