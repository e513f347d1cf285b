package cli

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/tfguard/tfguard/cmd/tfguard/internal/config"
	"github.com/tfguard/tfguard/engine/source"
	"github.com/tfguard/tfguard/engine/symbol"
	"github.com/tfguard/tfguard/extract"
)

// configuration finds and reads the .tfguard.hcl of inputs.
type configuration struct {
	streams Streams
	// file is the one the user named, empty if none.
	file string
	// flags are those of the command: the block check sets those it shares with check.
	flags *pflag.FlagSet
	read  map[string]*config.Config
}

// addTo adds the flag of the configuration to the flags of a command.
func (c *configuration) addTo(flags *pflag.FlagSet) {
	c.flags = flags
	flags.StringVar(&c.file, "config", "", "the configuration, in the place of "+config.Name)
}

// none is the configuration of inputs without a file.
var none = &config.Config{}

// of returns the configuration of an input: the file that the user named, else the
// one beside the input, else the one in the folder that the user named, else the one
// in the working folder. arg is the path as the user gave it.
func (c *configuration) of(path, arg string) (*config.Config, error) {
	file := c.file
	folders := []string{path, filepath.Dir(path), arg}
	if path == "-" {
		folders = nil
	}
	for _, folder := range append(folders, ".") {
		if file == "" {
			file = config.Find(folder)
		}
	}
	if file == "" {
		return none, nil
	}
	if cfg, ok := c.read[file]; ok {
		return cfg, nil
	}
	cfg, err := config.Load(file, config.Options{Flags: configurable(), ManagedPolicy: managedPolicy})
	if err != nil {
		return nil, err
	}
	if c.read == nil {
		c.read = map[string]*config.Config{}
	}
	c.read[file] = cfg
	return cfg, nil
}

// configurable are the flags that the block check may set, whatever command reads it.
func configurable() []string {
	var names []string
	settable().VisitAll(func(f *pflag.Flag) {
		if f.Name != "help" && f.Name != "config" && !slices.Contains(regoFlags, f.Name) {
			names = append(names, f.Name)
		}
	})
	return names
}

// settable are the flags that the block check may set: those of tfguard check, whatever
// command reads the file.
func settable() *pflag.FlagSet { return newCheck(Streams{}, Version{}).Flags() }

// tell shows the mistakes in a file, if that is what an error is about.
func (c *configuration) tell(err error) error {
	mistakes, ok := errors.AsType[*config.Error](err)
	if !ok {
		return err
	}
	if err := mistakes.Write(c.streams.Err, 0, false); err != nil {
		return err
	}
	return errReported
}

// settle sets the flags that neither the command line nor a variable has set from
// the file of the run, and returns the configuration of each argument. Where several
// files take part the flags stay as they are, and so do those that mean something else
// than for tfguard check.
func (c *configuration) settle(args []string) ([]*config.Config, error) {
	var all []*config.Config
	for _, arg := range args {
		cfg, err := c.of(arg, arg)
		if err != nil {
			return nil, err
		}
		all = append(all, cfg)
	}
	if slices.ContainsFunc(all, func(cfg *config.Config) bool { return cfg != all[0] }) {
		return all, nil
	}
	meant := settable()
	for _, s := range all[0].Check {
		f := c.flags.Lookup(s.Flag)
		if f == nil || f.Changed || f.Value.Type() != meant.Lookup(s.Flag).Value.Type() {
			continue
		}
		if err := f.Value.Set(strings.Join(s.Values, ",")); err != nil {
			return nil, all[0].Refuse(s, err)
		}
	}
	return all, nil
}

// apply puts what a file tells into the inventory of an input. A fact that the input
// shows for certain stays, but for the organization, which the file knows best.
func apply(cfg *config.Config, in *input) {
	if details := cfg.Details(); details != nil {
		worlds := in.Worlds
		in.Result = extract.Join(in.Result, details)
		in.Worlds = worlds // the file is applied to each
	}
	inv := in.Inventory
	in.Diagnostics = append(in.Diagnostics, cfg.Diagnostics...)
	if cfg.Organization != "" {
		inv.Organization = extract.Fact{Value: symbol.Literal(cfg.Organization), From: cfg.Path}
	}
	if id := inv.Account.Value; cfg.Account != "" && id.Known() && id.String() != cfg.Account {
		in.Diagnostics = append(in.Diagnostics, source.Diagnostic{
			Severity: source.Warning, Summary: "Another account", Origin: source.Origin{File: cfg.Path},
			Detail: fmt.Sprintf("The file says that the account is %s, and the input is of %s (%s), which is judged.", cfg.Account, id, inv.Account.From),
		})
	}
	inv.OrgPaths = append(inv.OrgPaths, cfg.OrgPaths...)
	inv.FullAccessDetached = append(inv.FullAccessDetached, cfg.FullAccessDetached...)
	for _, p := range cfg.OrgPolicies {
		inv.OrgPolicies = append(inv.OrgPolicies, p)
		e := &extract.Policy{Document: p.Document}
		for _, t := range p.Targets {
			e.AttachedTo = append(e.AttachedTo, nodeName(t))
		}
		inv.Policies = append(inv.Policies, e)
	}
	inv.Sort()
	in.Diagnostics.Sort()
}

// knownChains are the ids of the catalogue and of a file's own chains.
func knownChains(cfg *config.Config) []string {
	ids := chainIDs()
	for _, c := range cfg.Chains {
		ids = append(ids, c.ID)
	}
	return slices.Clip(ids)
}
