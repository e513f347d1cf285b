// Package config reads .tfguard.hcl: what a team tells tfguard of its account,
// organization and networks, its own chains, what it expects of the replays, what it
// waives, and how it runs checks.
//
// Call [Load]. A mistake in the file is an [*Error], which shows it with the line it
// stands on.
package config

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclparse"

	"github.com/tfguard/tfguard/engine/chain"
	"github.com/tfguard/tfguard/engine/policy"
	"github.com/tfguard/tfguard/engine/request"
	"github.com/tfguard/tfguard/engine/source"
	"github.com/tfguard/tfguard/extract"
)

// Name is what the file is called in a folder.
const Name = ".tfguard.hcl"

// A Config is the content of a file. The zero Config is that of an empty file.
type Config struct {
	// Path is where the file is, as the user gave it; empty for the zero Config.
	Path string
	// Account is the id of the account, empty if the file does not say.
	Account string
	// Management is set for the management account of the organization.
	Management bool
	// Organization is the id of the organization, empty if the file does not say.
	Organization string
	// OrgPaths are the places of the account in the organization, such as
	// "o-a1b2c3d4e5/r-ab12/ou-ab12-11111111/", none if the file does not say.
	OrgPaths []string
	Networks []chain.Network
	// Chains are the team's own.
	Chains []*chain.Chain
	// OrgPolicies are the service and resource control policies that the file names.
	OrgPolicies []*extract.OrgPolicy
	// FullAccessDetached are the nodes that have lost FullAWSAccess.
	FullAccessDetached []extract.OrgTarget
	Expectations       []Expectation
	Waivers            []Waiver
	// Switches are the readings of AWS's documentation to follow.
	Switches request.Switches
	// Check are the settings of flags of `tfguard check`.
	Check []Setting
	Rego  Rego
	// Diagnostics are about the files that the file names.
	Diagnostics source.Diagnostics

	parser  *hclparse.Parser
	details *details
}

// An Expectation is a sentence about replays, with the verdict that makes it true.
type Expectation struct {
	Sentence string
	// Principal and Resource are addresses, ARNs or names of stand-ins. In all four '*'
	// stands for any text and '?' for one character.
	Principal, Resource string
	Actions, Chains     []string
	// Verdict is allowed, implicitDeny, explicitDeny, or denied for either of these.
	Verdict string
	Origin  source.Origin
	Range   source.Range
}

// A Waiver takes findings out of the count, with a reason and for a time.
type Waiver struct {
	// Rule is the id of a rule, and Address that of the finding; '*' in them stands for
	// any text.
	Rule, Address string
	Reason, Owner string
	// Expires is the first day on which the waiver holds no more, in UTC.
	Expires time.Time
	Origin  source.Origin
	Range   source.Range
}

// A Setting is the value of a flag.
type Setting struct {
	// Flag is its name without dashes in front.
	Flag string
	// Values are one for most flags, and any number for those that take several.
	Values []string

	at hcl.Range
}

// Rego says where the team's guardrails are: the flags of the same names go before it.
type Rego struct {
	// Policies and Data are paths and addresses, VerificationKey is a path.
	Policies, Data, Namespaces, Profiles, Allow []string
	VerificationKey                             string
}

// Options are what [Load] must know of the program.
type Options struct {
	// Flags are the names of the flags that the block check may set.
	Flags []string
	// ManagedPolicy gives the document of an AWS managed policy by its name.
	ManagedPolicy func(name string) (*policy.Document, bool)
}

// Find returns the path of the file in a folder, empty if there is none.
func Find(folder string) string {
	path := filepath.Join(folder, Name)
	if info, err := os.Stat(path); err != nil || info.IsDir() {
		return ""
	}
	return path
}

// Load reads a file and what it names: paths in it are relative to its folder. The
// error is an [*Error] for mistakes in the file, else that of reading it.
func Load(path string, opts Options) (*Config, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s: there is no such file; `tfguard init` writes one", path)
	} else if err != nil {
		return nil, err
	}
	d := &decoder{opts: opts, cfg: &Config{Path: path, parser: hclparse.NewParser()}}
	d.decode(text)
	if d.diags.HasErrors() {
		// Blocks are decoded in no order.
		slices.SortStableFunc(d.diags, func(a, b *hcl.Diagnostic) int {
			return cmp.Or(cmp.Compare(a.Subject.Start.Byte, b.Subject.Start.Byte), cmp.Compare(a.Detail, b.Detail))
		})
		return nil, &Error{d.diags, d.cfg.parser}
	}
	return d.cfg, nil
}

// Refuse makes the error for a setting that its flag does not take.
func (c *Config) Refuse(s Setting, err error) error {
	return &Error{hcl.Diagnostics{{
		Severity: hcl.DiagError, Summary: "Unsuitable value", Detail: fmt.Sprintf("The flag --%s does not take this: %v.", s.Flag, err), Subject: &s.at,
	}}, c.parser}
}

// An Error is the mistakes in a file.
type Error struct {
	diags  hcl.Diagnostics
	parser *hclparse.Parser
}

// Error tells the first mistake on one line.
func (e *Error) Error() string { return e.diags.Error() }

// Write shows every mistake with the lines it stands on. width is that of the
// terminal, 0 for no wrapping; color marks with ANSI colours.
func (e *Error) Write(w io.Writer, width uint, color bool) error {
	return hcl.NewDiagnosticTextWriter(w, e.parser.Files(), width, color).WriteDiagnostics(e.diags)
}
