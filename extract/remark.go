package extract

import (
	"fmt"

	"github.com/tfguard/tfguard/engine/source"
	"github.com/tfguard/tfguard/engine/symbol"
)

// LakeFormation remarks that a place is registered with Lake Formation, whose
// credentials the replays do not know. (AWS page "Requirements for roles used to
// register locations" of Lake Formation.)
func (r *Register) LakeFormation(at source.Origin, location symbol.Text) {
	r.remark(at, "Location registered with Lake Formation", fmt.Sprintf("Athena and other services that work with Lake Formation read %s "+
		"with the role that it is registered with, and those calls carry no aws:CalledVia. Replays through Athena are judged with the caller's own permissions.", location))
}

// IdentityCenter remarks that a workgroup of Athena passes on who its user is in
// Identity Center. (AWS page "Use CalledVia context keys for Athena".)
func (r *Register) IdentityCenter(at source.Origin) {
	r.remark(at, "Workgroup with trusted identity propagation", "Calls that Athena makes for queries of this workgroup carry no aws:CalledVia. "+
		"Replays through Athena are judged as queries of a workgroup without trusted identity propagation.")
}

func (r *Register) remark(at source.Origin, summary, detail string) {
	r.Diagnostics = append(r.Diagnostics, source.Diagnostic{Severity: source.Info, Summary: summary, Detail: detail, Origin: at})
}
