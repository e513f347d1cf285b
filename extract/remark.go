package extract

import (
	"github.com/tfguard/tfguard/engine/source"
	"github.com/tfguard/tfguard/engine/symbol"
)

// LakeFormation warns that a place is registered with Lake Formation, whose
// credentials the replays do not know. (AWS page "Requirements for roles used to
// register locations" of Lake Formation.)
func (r *Register) LakeFormation(at source.Origin, location symbol.Text) {
	r.Warn(at, source.Range{}, "Location registered with Lake Formation", "Athena and other services that work with Lake Formation read %s "+
		"with the role that it is registered with, and those calls carry no aws:CalledVia. Replays through Athena are judged with the caller's own permissions.", location)
}

// IdentityCenter warns that a workgroup of Athena passes on who its user is in
// Identity Center. (AWS page "Use CalledVia context keys for Athena".)
func (r *Register) IdentityCenter(at source.Origin) {
	r.Warn(at, source.Range{}, "Workgroup with trusted identity propagation", "Calls that Athena makes for queries of this workgroup carry no aws:CalledVia. "+
		"Replays through Athena are judged as queries of a workgroup without trusted identity propagation.")
}
