package report

import (
	"bufio"
	"cmp"
	"encoding/json"
	"io"
	"slices"
	"strings"

	"github.com/tfguard/tfguard/engine/policy"
	"github.com/tfguard/tfguard/extract"
)

// An Inventory is what one input defines, as `tfguard extract` shows it.
type Inventory struct {
	Path       string         `json:"path"`
	Format     string         `json:"format"`
	Facts      []Fact         `json:"facts"`
	Incomplete []string       `json:"incomplete"`
	Principals []PrincipalRow `json:"principals"`
	Resources  []ResourceRow  `json:"resources"`
	Policies   []Policy       `json:"policies"`
	// Diagnostics tell what was not understood.
	Diagnostics []Diagnostic `json:"diagnostics"`
}

// A PrincipalRow is a user or role with the IDs of its policies.
type PrincipalRow struct {
	Address  string   `json:"address"`
	Kind     string   `json:"kind"`
	ARN      string   `json:"arn"`
	Identity []string `json:"identity"`
	Boundary []string `json:"boundary"`
	Trust    string   `json:"trust"`
}

// A ResourceRow is a resource with the IDs of its policies.
type ResourceRow struct {
	Address  string   `json:"address"`
	Type     string   `json:"type"`
	ARN      string   `json:"arn"`
	Policies []string `json:"policies"`
}

// NewInventory shows what was read of an input.
func NewInventory(path, format string, result *extract.Result) Inventory {
	inv := result.Inventory
	out := Inventory{
		Path: path, Format: format, Facts: facts(inv), Incomplete: list(inv.Incomplete),
		Principals: []PrincipalRow{}, Resources: []ResourceRow{}, Diagnostics: []Diagnostic{},
	}
	ids := func(docs []policy.Attached) []string {
		names := []string{}
		for _, d := range docs {
			names = append(names, d.ID)
		}
		return names
	}
	for _, p := range inv.Principals {
		row := PrincipalRow{Address: p.Address, Kind: string(p.Kind), ARN: p.ARN.String(), Identity: ids(p.Identity), Boundary: ids(p.Boundary)}
		if p.Trust != nil {
			row.Trust = p.Trust.ID
		}
		out.Principals = append(out.Principals, row)
	}
	for _, r := range inv.Resources {
		out.Resources = append(out.Resources, ResourceRow{Address: r.Address, Type: r.Type, ARN: r.ARN.String(), Policies: ids(r.Policies)})
	}
	rep := New()
	for _, p := range inv.Policies {
		rep.addPolicy(p, 0)
	}
	out.Policies = rep.Policies
	for _, d := range result.Diagnostics {
		out.Diagnostics = append(out.Diagnostics, diagnostic(d, 0))
	}
	return out
}

// InventoryJSON renders inventories as a JSON array.
func InventoryJSON(w io.Writer, all []Inventory) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(all)
}

// InventoryText renders inventories for people: who and what there is, each with the
// policies that bear on it.
func InventoryText(w io.Writer, all []Inventory, opts Options) error {
	t := &text{w: bufio.NewWriter(w), r: New(), color: opts.Color}
	for i := range all {
		if i > 0 {
			t.line("")
		}
		t.inventory(&all[i])
	}
	return t.w.Flush()
}

func (t *text) inventory(inv *Inventory) {
	t.line("%s: %s, %s, %s", inputName(inv.Path), number(len(inv.Principals), "principal", "principals"),
		number(len(inv.Resources), "resource", "resources"), number(len(inv.Policies), "policy", "policies"))
	for _, f := range inv.Facts {
		assumed := ""
		if f.Assumed {
			assumed = ", assumed"
		}
		t.paragraph("  ", "    ", plain, f.Name+" "+f.Value+" ("+f.From+assumed+")")
	}
	for _, why := range inv.Incomplete {
		t.paragraph("  ", "    ", yellow, why)
	}
	section := func(title string, n int) {
		if n > 0 {
			t.line("")
			t.line("%s", t.paint(bold, title))
		}
	}
	branches := func(name string, ids []string) {
		if len(ids) > 0 {
			t.branch("  "+name, strings.Join(ids, ", "))
		}
	}
	section("Principals", len(inv.Principals))
	for _, p := range inv.Principals {
		t.paragraph("  ", "    ", plain, cmp.Or(p.Address, p.ARN)+"  "+p.Kind)
		branches("has", p.Identity)
		branches("within", p.Boundary)
		if p.Trust != "" {
			branches("trusts", []string{p.Trust})
		}
	}
	section("Resources", len(inv.Resources))
	for _, r := range inv.Resources {
		t.paragraph("  ", "    ", plain, cmp.Or(r.Address, r.ARN)+"  "+r.Type)
		branches("has", r.Policies)
	}
	section("Policies", len(inv.Policies))
	for _, p := range inv.Policies {
		t.paragraph("  ", "    ", plain, p.ID+"  "+p.Kind)
		branches("unknown", p.Unknown)
	}
	told := slices.DeleteFunc(slices.Clone(inv.Diagnostics), func(d Diagnostic) bool { return !d.matters(inv.Incomplete) })
	section("Remarks", len(told))
	for i := range told {
		t.paragraph("  ", "    ", yellow, told[i].words())
	}
}
