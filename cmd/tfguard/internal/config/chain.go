package config

import (
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/tfguard/tfguard/engine/chain"
)

// A chainBlock is a chain of the team.
type chainBlock struct {
	ID         string     `hcl:"id,label"`
	IDRange    hcl.Range  `hcl:"id,label_range"`
	Title      string     `hcl:"title,optional"`
	Pattern    string     `hcl:"pattern,optional"`
	Entry      string     `hcl:"entry,optional"`
	EntryRange hcl.Range  `hcl:"entry,attr_value_range"`
	Hops       []hopBlock `hcl:"hop,block"`
	Range      hcl.Range  `hcl:",def_range"`
}

// A hopBlock is one call of a chain. Its number is one more than that of the hop
// before, unless it says another.
type hopBlock struct {
	Number      int       `hcl:"number,optional"`
	Credentials string    `hcl:"credentials"`
	Actions     []string  `hcl:"actions,optional"`
	Resource    string    `hcl:"resource,optional"`
	Service     string    `hcl:"service,optional"`
	Via         []string  `hcl:"via,optional"`
	Principal   string    `hcl:"principal,optional"`
	Optional    bool      `hcl:"optional,optional"`
	Range       hcl.Range `hcl:",def_range"`
}

// entries are the networks that a chain may enter from, beside those of the file.
var entries = []string{string(chain.Corporate), string(chain.Internet), string(chain.VPCEndpoint), string(chain.Inside)}

func (d *decoder) chain(b *chainBlock) {
	if slices.Contains(d.chainIDs(), b.ID) {
		d.err(b.IDRange, "Duplicate chain", "There is another chain %q; `tfguard chains list` shows the catalogue.", b.ID)
	}
	if strings.ContainsAny(b.ID, ",*? ") {
		d.err(b.IDRange, "Not a chain id", "The id of a chain is one word, without commas and wildcards.")
	}
	networks := slices.Clone(entries)
	for i := range d.cfg.Networks {
		networks = append(networks, d.cfg.Networks[i].Name)
	}
	if b.Entry != "" && !slices.Contains(networks, b.Entry) {
		d.err(b.EntryRange, "No such network", "A chain enters from one of %s.", strings.Join(networks, ", "))
	}
	c := &chain.Chain{ID: b.ID, Title: b.Title, Pattern: b.Pattern, Entry: chain.Entry(b.Entry)}
	for i := range b.Hops {
		h := &b.Hops[i]
		hop := chain.Hop{
			Number: h.Number, Credentials: chain.Credentials(h.Credentials), Actions: h.Actions, Resource: chain.Resource(h.Resource),
			Service: h.Service, Via: h.Via, Principal: h.Principal, Optional: h.Optional,
		}
		if n := len(c.Hops); hop.Number == 0 && n > 0 {
			hop.Number = c.Hops[n-1].Number + 1
		}
		hop.Number = max(hop.Number, 1)
		c.Hops = append(c.Hops, hop)
		if err := hop.Validate(); err != nil {
			d.err(h.Range, "Hop cannot be replayed", "This hop cannot be replayed: %v.", err)
			return
		}
	}
	if err := c.Validate(); err != nil {
		d.err(b.Range, "Chain cannot be replayed", "This chain cannot be replayed: %v.", err)
	}
	d.cfg.Chains = append(d.cfg.Chains, c)
}

// chainIDs are the ids of the catalogue and of the chains read so far.
func (d *decoder) chainIDs() []string {
	var ids []string
	for _, c := range slices.Concat(chain.Catalog(), d.cfg.Chains) {
		ids = append(ids, c.ID)
	}
	return ids
}
