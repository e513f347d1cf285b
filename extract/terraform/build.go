package terraform

import (
	"slices"
	"strings"

	"github.com/tfguard/tfguard/engine/source"
	"github.com/tfguard/tfguard/engine/symbol"
	"github.com/tfguard/tfguard/extract"
)

func newBuilder(p *plan, opts Options) *builder {
	b := &builder{
		resolver: &resolver{world: newWorld(p), variables: p.variables, providers: p.providers, locals: map[string]outcome{}, keys: map[string][]any{}},
		Register: extract.NewRegister(&extract.Inventory{
			Timestamp: p.timestamp,
			Changes:   p.changed,
		}, opts.ManagedPolicy),
		told:      opts.Account,
		carried:   map[*instance][]carried{},
		resources: map[*instance]*extract.Resource{},
		strangers: map[symbol.Text]*extract.Resource{},
		indexes:   map[string]*extract.Index[*instance]{},
	}
	b.Diagnostics = p.diags
	b.incomplete(p)
	b.takeSource(opts, p.openTofu)
	return b
}

// incomplete says where the plan does not show the whole world after the change.
func (b *builder) incomplete(p *plan) {
	say := func(summary, sentence string) {
		b.Incomplete = append(b.Incomplete, sentence)
		b.Warn(source.Origin{}, source.Range{}, summary, "%s", sentence)
	}
	switch {
	case p.errored:
		say("Plan is errored", "The plan is errored: what failed while planning is missing from it, and nothing is known about it. Plan again once `terraform plan` succeeds.")
	case len(p.deferred) > 0:
		slices.Sort(p.deferred)
		say("Changes are deferred", "Terraform leaves the changes of "+strings.Join(p.deferred, ", ")+" to a further plan: these resources are judged as they are now.")
	case p.incomplete:
		say("Plan is incomplete", "The plan is incomplete: it was made for a part of the configuration (-target, or deferred actions), and a further plan will change more.")
	}
}

// build fills the inventory. Policies are read first, because what they name can
// tell the account; then the facts, which ARNs are made of; then all else.
func (b *builder) build() {
	b.readPolicies()
	b.facts()
	b.readSource()
	b.recoverPolicies()
	b.placePolicies()
	b.organization()
	b.collectResources()
	b.attachResourcePolicies()
	b.lambdaPermissions()
	b.kmsGrants()
	b.permissions()
	b.publicAccess()
	b.accessControlLists()
	b.encryption()
	b.collectEchoes()
	b.principals()
	b.permissionSets()
	b.organizationPolicies()
	b.endpoints()
	b.trails()
	b.workgroups()
	b.volumeKey()
	b.lakeFormation()
	b.Tidy()
}
