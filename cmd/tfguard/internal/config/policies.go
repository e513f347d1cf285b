package config

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/hashicorp/hcl/v2"

	"github.com/tfguard/tfguard/engine/policy"
	"github.com/tfguard/tfguard/engine/symbol"
	"github.com/tfguard/tfguard/extract"
	"github.com/tfguard/tfguard/extract/account"
)

// read reads a file that the configuration names.
func (d *decoder) read(path string, at hcl.Range) ([]byte, bool) {
	text, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		d.err(at, "No such file", "There is no file %s. Paths are relative to the folder of this file.", path)
	case err != nil:
		d.err(at, "Unreadable file", "%v.", err)
	}
	return text, err == nil
}

// details are the users, groups and roles of the account.
type details struct {
	text    []byte
	path    string
	opts    account.Options
	account extract.Fact
	next    *extract.Result
}

// Details returns the users, groups and roles of the account, nil if the file names
// none. Every call returns a result of its own.
func (c *Config) Details() *extract.Result {
	d := c.details
	if d == nil {
		return nil
	}
	out := d.next
	if d.next = nil; out == nil {
		out, _ = account.Read(d.text, d.path, d.opts) // it was read before
	}
	return out
}

// KnownAccount is what the file tells of the account, the zero Fact if it tells nothing.
func (c *Config) KnownAccount() extract.Fact {
	switch {
	case c.Account != "":
		return extract.Fact{Value: symbol.Literal(c.Account), From: c.Path}
	case c.details != nil:
		return c.details.account
	}
	return extract.Fact{}
}

func (d *decoder) readDetails(b *accountBlock) {
	read := &details{path: d.path(b.Details), opts: account.Options{ManagedPolicy: d.opts.ManagedPolicy}}
	var ok bool
	if read.text, ok = d.read(read.path, b.At); !ok {
		return
	}
	var err error
	if read.next, err = account.Read(read.text, read.path, read.opts); err != nil {
		d.err(b.At, "Unreadable account details", "%v.", err)
		return
	}
	read.account = read.next.Inventory.Account
	if id := read.account.Value.String(); b.ID != "" && id != "" && id != b.ID {
		d.err(b.At, "Details of another account", "%s describes the account %s, and id says %s.", read.path, id, b.ID)
	}
	d.cfg.details = read
}

// orgPolicies reads the files of the blocks scp, or those of rcp.
func (d *decoder) orgPolicies(kind policy.Kind, blocks []orgPolicyBlock) {
	for i := range blocks {
		b := &blocks[i]
		targets := d.targets(b)
		if b.FullAccess != nil && !*b.FullAccess {
			if kind == policy.RCP {
				d.err(b.LabelRange, "No such default", "RCPFullAWSAccess cannot be detached.")
			}
			d.cfg.FullAccessDetached = append(d.cfg.FullAccessDetached, targets...)
		}
		for _, path := range d.files(b) {
			same := func(p *extract.OrgPolicy) bool { return p.ID == path && p.Kind == kind }
			if i := slices.IndexFunc(d.cfg.OrgPolicies, same); i >= 0 {
				d.cfg.OrgPolicies[i].Targets = append(d.cfg.OrgPolicies[i].Targets, targets...)
				continue
			}
			text, ok := d.read(path, b.FilesRange)
			if !ok {
				continue
			}
			doc, diags, err := account.ReadPolicy(text, path, kind)
			if err != nil {
				d.err(b.FilesRange, "Not a policy", "%v.", err)
				continue
			}
			d.cfg.Diagnostics = append(d.cfg.Diagnostics, diags...)
			d.cfg.OrgPolicies = append(d.cfg.OrgPolicies, &extract.OrgPolicy{Document: doc, Targets: slices.Clone(targets)})
		}
	}
}

// files returns the files of a block: those that are named, those that a pattern
// matches, and the JSON files of a folder.
func (d *decoder) files(b *orgPolicyBlock) []string {
	var out []string
	for _, name := range b.Files {
		pattern := d.path(name)
		if info, err := os.Stat(pattern); err == nil && info.IsDir() {
			pattern = filepath.Join(pattern, "*.json")
		}
		found, err := filepath.Glob(pattern)
		if err != nil || len(found) == 0 {
			d.err(b.FilesRange, "No such file", "There is no file %s. Paths are relative to the folder of this file.", pattern)
		}
		out = append(out, found...)
	}
	if len(b.Files) == 0 {
		d.err(b.FilesRange, "No files", "Name the files that hold the policies.")
	}
	return out
}

// node tells the kind of a node of the organization by its id.
func node(id string) (extract.OrgTarget, bool) {
	t := extract.OrgTarget{Kind: extract.OrgKind(id), ID: symbol.Literal(id)}
	if id == "root" {
		t.Kind = extract.OrgRoot
	}
	return t, t.Kind != extract.OrgUnknown
}

var levels = []extract.OrgTargetKind{extract.OrgRoot, extract.OrgUnit, extract.OrgAccount}

// targets are the nodes that the policies of a block are attached to: the targets
// it lists, else the one its label names, else the one of its level above the account.
func (d *decoder) targets(b *orgPolicyBlock) []extract.OrgTarget {
	level := extract.OrgTargetKind(b.Level)
	if level != "" && !slices.Contains(levels, level) {
		d.err(b.LevelRange, "No such level", "A level is one of root, ou, account.")
	}
	ids, at := b.Targets, b.TargetsRange
	if len(ids) == 0 {
		ids, at = []string{b.Target}, b.LabelRange
	}
	var out []extract.OrgTarget
	for _, id := range ids {
		t, ok := node(id)
		switch {
		case !ok && len(b.Targets) == 0 && level != "":
			t = extract.OrgTarget{Kind: level, ID: symbol.Literal(id), Holds: true}
		case !ok && len(b.Targets) == 0:
			d.err(at, "Unknown target", `The label is "root" or the id of a root, organizational unit or account (r-ab12, ou-ab12-11111111, 123456789012). With another name, say level = "root", "ou" or "account", or list the ids as targets.`)
		case !ok:
			d.err(at, "Unknown target", "%q is no id of a root, organizational unit or account (r-ab12, ou-ab12-11111111, 123456789012).", id)
		case level != "" && level != t.Kind:
			d.err(b.LevelRange, "Another level", "%s is an id of the level %s.", id, t.Kind)
		}
		out = append(out, t)
	}
	return out
}
