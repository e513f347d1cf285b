package extract

import (
	"regexp"
	"strings"

	"github.com/tfguard/tfguard/engine/symbol"
)

var organizationID = regexp.MustCompile(`^o-[a-z0-9]{10,32}$`)

// AssumeOrganization fills the fact Organization of an input that does not say
// which organization its account belongs to: if all conditions on organization
// keys name one id, that is assumed to be it.
func (inv *Inventory) AssumeOrganization() {
	if !inv.Organization.Value.IsZero() {
		return
	}
	var found, from string
	for _, p := range inv.Policies {
		if p.Sensitive {
			continue // a fact is shown
		}
		for i := range p.Statements {
			for _, c := range p.Statements[i].Conditions {
				if !strings.Contains(c.Name(), "org") {
					continue
				}
				for _, v := range c.Values {
					id, _, _ := strings.Cut(v.Text.String(), "/")
					switch {
					case !organizationID.MatchString(id):
					case found == "":
						found, from = id, "the only organization that conditions name, in "+p.ID
					case found != id:
						return
					}
				}
			}
		}
	}
	if found != "" {
		inv.Organization = Fact{Value: symbol.Literal(found), From: from, Assumed: true}
	}
}

var orgIDs = []struct {
	kind   OrgTargetKind
	syntax *regexp.Regexp
}{
	{OrgRoot, regexp.MustCompile(`^r-[0-9a-z]+$`)},
	{OrgUnit, regexp.MustCompile(`^ou-[0-9a-z]+-[0-9a-z]+$`)},
	{OrgAccount, regexp.MustCompile(`^[0-9]{12}$`)},
}

// OrgKind tells the kind of a node of the organization by the spelling of its id,
// OrgUnknown for what is no such id.
func OrgKind(id string) OrgTargetKind {
	for _, form := range orgIDs {
		if form.syntax.MatchString(id) {
			return form.kind
		}
	}
	return OrgUnknown
}
