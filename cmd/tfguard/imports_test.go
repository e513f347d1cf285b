package main_test

import (
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/tfguard/tfguard"

// A layer is a tree of packages and what its files may import. Trees reach down: a
// file belongs to the longest tree that its folder is in.
type layer struct {
	// trees of this module; a tree named here stands for the packages that belong to
	// that very layer. Every layer may import itself.
	module []string
	// thirdParty are the import paths outside the module, with what is below them.
	thirdParty []string
	// impure says that the layer may touch the world: files, clock, network.
	impure bool
}

const (
	jsonTokenizer = "github.com/go-json-experiment/json/jsontext"
	terraformJSON = "github.com/hashicorp/terraform-json"
	goformation   = "github.com/awslabs/goformation/v7/cloudformation"
	cobra         = "github.com/spf13/cobra"
	pflag         = "github.com/spf13/pflag"
	lipgloss      = "charm.land/lipgloss/v2"
	ansi          = "github.com/charmbracelet/x/ansi"
	opaModule     = "github.com/open-policy-agent/opa/v1"
	term          = "golang.org/x/term"
)

var (
	leaves      = []string{"engine/arn", "engine/condition", "engine/kleene", "engine/request", "engine/source", "engine/symbol"}
	belowEngine = append([]string{"engine/awsref", "engine/policy"}, leaves...)
	belowChain  = append([]string{"engine"}, belowEngine...)
	belowHazard = append([]string{"engine/chain"}, belowChain...)
	allEngine   = append([]string{"engine/hazard"}, belowHazard...)
)

// layers is the house: who may import whom. Everything points downwards; only cli
// sees both extract and engine, only report draws, only cli reads a command line.
var layers = map[string]layer{
	"engine/kleene":    {},
	"engine/symbol":    {module: []string{"engine/kleene"}},
	"engine/source":    {module: []string{"engine/symbol"}, thirdParty: []string{jsonTokenizer}},
	"engine/arn":       {module: []string{"engine/kleene", "engine/symbol"}},
	"engine/request":   {module: []string{"engine/arn", "engine/kleene", "engine/source", "engine/symbol"}},
	"engine/condition": {module: []string{"engine/arn", "engine/kleene", "engine/request", "engine/source", "engine/symbol"}},
	"engine/policy":    {module: leaves},
	"engine/awsref":    {module: []string{"engine/policy", "engine/source"}},
	"engine":           {module: belowEngine},
	"engine/chain":     {module: belowChain},
	"engine/hazard":    {module: belowHazard},
	"engine/simulate":  {module: belowChain},

	// extract holds the inventory, the readers below it fill one.
	"extract":                          {module: belowEngine, impure: true},
	"extract/account":                  {module: append([]string{"extract"}, belowEngine...), thirdParty: []string{jsonTokenizer}},
	"extract/yaml":                     {module: []string{"engine/source", "engine/symbol"}, thirdParty: []string{"go.yaml.in/yaml/v3"}},
	"extract/terraform/policydocument": {module: []string{"engine/source", "engine/symbol"}},
	"extract/terraform/internal/planfile": {
		thirdParty: []string{jsonTokenizer, "github.com/vmihailenco/msgpack/v5", "google.golang.org/protobuf/encoding/protowire"},
		impure:     true,
	},
	"extract/terraform/configuration": {
		module:     []string{"engine/kleene", "engine/source", "engine/symbol", "extract/terraform/policydocument"},
		thirdParty: []string{"github.com/hashicorp/hcl/v2", "github.com/hashicorp/go-cty-funcs", "github.com/zclconf/go-cty", "github.com/zclconf/go-cty-yaml"},
		impure:     true,
	},
	"extract/cloudformation": {
		module:     append([]string{"extract", "extract/yaml"}, belowEngine...),
		thirdParty: []string{goformation},
		impure:     true,
	},
	"extract/terraform": {
		module: append([]string{
			"extract", "extract/terraform/configuration", "extract/terraform/internal/planfile", "extract/terraform/policydocument",
		}, belowEngine...),
		thirdParty: []string{jsonTokenizer, terraformJSON, "github.com/hashicorp/hcl/v2", "github.com/zclconf/go-cty/cty"},
		impure:     true,
	},

	// rego knows documents and answers, not what makes them.
	"rego": {
		thirdParty: []string{jsonTokenizer, opaModule, "go.yaml.in/yaml/v3", "github.com/opencontainers/image-spec", "oras.land/oras-go/v2"},
		impure:     true,
	},

	// report knows the inventory but none of its readers.
	"cmd/tfguard/internal/report": {
		module:     append([]string{"extract"}, allEngine...),
		thirdParty: []string{ansi, lipgloss},
		impure:     true,
	},
	// config knows chains and policies as data; what they come to is not its business.
	"cmd/tfguard/internal/config": {
		module:     append([]string{"extract", "extract/account"}, belowHazard...),
		thirdParty: []string{"github.com/hashicorp/hcl/v2", "github.com/zclconf/go-cty"},
		impure:     true,
	},
	// comment knows files, not what anybody finds in them.
	"cmd/tfguard/internal/comment": {thirdParty: []string{"github.com/hashicorp/hcl/v2", "go.yaml.in/yaml/v3"}},
	// cli asks whether a stream is a terminal; it draws nothing.
	"cmd/tfguard/internal/cli": {
		module:     append([]string{"cmd/tfguard/internal/comment", "cmd/tfguard/internal/config", "cmd/tfguard/internal/report", "engine/simulate", "extract", "extract/account", "extract/cloudformation", "extract/terraform", "extract/yaml", "rego"}, allEngine...),
		thirdParty: []string{cobra, pflag, term},
		impure:     true,
	},
	"cmd/tfguard": {module: []string{"cmd/tfguard/internal/cli"}, impure: true},

	"fixtures": {impure: true},
}

// testLibraries may be imported by test files anywhere.
var testLibraries = []string{
	ansi,
	"github.com/google/go-cmp",
	"github.com/google/go-containerregistry",
	"github.com/opencontainers/image-spec",
	"github.com/rogpeppe/go-internal",
	"github.com/santhosh-tekuri/jsonschema/v6",
	"pgregory.net/rapid",
}

// world are the packages of the standard library through which a decision could come
// to depend on more than its arguments. What they hold is denied by name, not by
// tree: net/netip is pure.
var world = []string{
	"context", "crypto/rand", "flag", "log", "log/slog", "math/rand", "math/rand/v2", "net", "net/http",
	"os", "os/exec", "os/signal", "os/user", "runtime/debug", "syscall",
}

// layerOf returns the longest tree of the table that a folder is in, "" for none.
func layerOf(folder string) string {
	for {
		if _, ok := layers[folder]; ok {
			return folder
		}
		if folder == "." || folder == "/" {
			return ""
		}
		folder = path.Dir(folder)
	}
}

func isBelow(name string, trees []string) bool {
	return slices.ContainsFunc(trees, func(tree string) bool {
		return name == tree || strings.HasPrefix(name, tree+"/")
	})
}

// checkImport returns why a file may not import a package, or "".
func checkImport(file, imported string) string {
	of := layerOf(path.Dir(file))
	if of == "" {
		return "belongs to no layer: give its folder a place in the table of this test"
	}
	l, isTest := layers[of], strings.HasSuffix(file, "_test.go")
	inside, inModule := strings.CutPrefix(imported, module+"/")
	first, _, _ := strings.Cut(imported, "/")
	switch {
	case imported == module:
		return "imports the root, which holds no code"
	case inModule:
		target := layerOf(inside)
		switch {
		case target == of, slices.Contains(l.module, target):
			return ""
		case isTest && slices.Contains([]string{"fixtures", "extract/yaml", "engine/simulate"}, target):
			return "" // the corpus, and what reads its suites
		case isTest && of == "cmd/tfguard":
			return "" // tests of the whole may look at all of it
		case target == "fixtures":
			return "imports fixtures, which only tests may"
		}
		return fmt.Sprintf("imports %s; %s may import %s of this module", inside, of, list(l.module))
	case strings.Contains(first, "."):
		if isBelow(imported, l.thirdParty) || isTest && isBelow(imported, testLibraries) {
			return ""
		}
		return fmt.Sprintf("imports %s; %s may import %s from elsewhere", imported, of, list(l.thirdParty))
	case !l.impure && !isTest && slices.Contains(world, imported):
		return fmt.Sprintf("imports %s; %s decides by its arguments alone", imported, of)
	}
	return ""
}

func list(names []string) string {
	if len(names) == 0 {
		return "nothing"
	}
	return strings.Join(names, ", ")
}

// goFiles returns the imports of every Go file of the module by the file's path. It
// reads the sources itself: asking the go command instead leaves the answer in the
// test cache after a rule was broken.
func goFiles(t *testing.T) map[string][]string {
	t.Helper()
	root := filepath.Join("..", "..")
	gomod, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(string(gomod), "module "+module+"\n") {
		t.Fatalf("%s is not the root of %s", root, module)
	}
	files := map[string][]string{}
	err = filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if base := d.Name(); name != root && (base == "testdata" || base[0] == '.' || base[0] == '_') {
				return filepath.SkipDir
			}
			return nil
		}
		if filepath.Ext(name) != ".go" {
			return nil
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		imports := []string{}
		for _, spec := range parsed.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			imports = append(imports, imported)
		}
		files[filepath.ToSlash(rel)] = imports
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestImportsKeepTheirDirection(t *testing.T) {
	files := goFiles(t)
	seen := map[string]bool{}
	for _, file := range slices.Sorted(maps.Keys(files)) {
		of := layerOf(path.Dir(file))
		seen[of] = true
		if of == "" {
			t.Errorf("%s: belongs to no layer: give its folder a place in the table of this test", file)
			continue
		}
		for _, imported := range files[file] {
			if why := checkImport(file, imported); why != "" {
				t.Errorf("%s: %s", file, why)
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(layers)) {
		if !seen[name] {
			t.Errorf("layer %s: no file belongs to it, so the table holds nothing there", name)
		}
	}
}

// The table refers to layers only, and no two layers may import each other.
func TestLayersAreATable(t *testing.T) {
	for name, l := range layers {
		for _, below := range l.module {
			if _, ok := layers[below]; !ok {
				t.Errorf("layer %s: %s is no layer", name, below)
			}
			if slices.Contains(layers[below].module, name) {
				t.Errorf("layers %s and %s may import each other", name, below)
			}
		}
	}
}

// What the table is for: each of these must be refused, or allowed.
func TestCheckImport(t *testing.T) {
	for _, c := range []struct {
		file, imported string
		ok             bool
	}{
		{"engine/kleene/kleene.go", "slices", true},
		{"engine/kleene/kleene.go", module + "/engine/symbol", false},
		{"engine/policy/decode.go", module + "/engine/arn", true},
		{"engine/policy/decode.go", module + "/engine", false},
		{"engine/evaluate.go", module + "/engine/policy", true},
		{"engine/evaluate.go", module + "/engine/chain", false},
		{"engine/evaluate.go", module + "/extract", false},
		{"engine/evaluate_test.go", module + "/extract", false},
		{"engine/evaluate.go", "os", false},
		{"engine/evaluate.go", "net/netip", true},
		{"engine/evaluate_test.go", "os", true},
		{"engine/evaluate.go", module + "/fixtures", false},
		{"engine/evaluate_test.go", module + "/fixtures", true},
		{"engine/evaluate.go", jsonTokenizer, false},
		{"engine/source/node.go", jsonTokenizer, true},
		{"extract/terraform/change.go", "github.com/go-json-experiment/json", false},
		{"engine/newcomer/newcomer.go", module + "/engine/policy", true},
		{"engine/policy/decode.go", module + "/engine/newcomer", false},
		{"engine/chain/replay.go", module + "/engine", true},
		{"engine/chain/replay.go", module + "/extract/terraform", false},
		{"engine/chain/replay.go", "log/slog", false},
		{"engine/chain/replay.go", module + "/engine/hazard", false},
		{"engine/hazard/rule.go", module + "/engine/chain", true},
		{"extract/inventory.go", module + "/extract/terraform", false},
		{"extract/inventory.go", terraformJSON, false},
		{"extract/terraform/plan.go", module + "/extract", true},
		{"extract/terraform/plan.go", module + "/engine/policy", true},
		{"extract/terraform/plan.go", module + "/engine", false},
		{"extract/terraform/plan.go", module + "/engine/chain", false},
		{"extract/terraform/plan.go", terraformJSON, true},
		{"extract/terraform/plan.go", "github.com/open-policy-agent/opa/v1/rego", false},
		{"extract/terraform/plan.go", "github.com/google/go-cmp/cmp", false},
		{"extract/terraform/plan_test.go", "github.com/google/go-cmp/cmp", true},
		{"cmd/tfguard/main.go", module + "/cmd/tfguard/internal/cli", true},
		{"cmd/tfguard/main.go", module + "/engine", false},
		{"cmd/tfguard/main.go", cobra, false},
		{"cmd/tfguard/main_test.go", module + "/engine/chain", true},
		{"cmd/tfguard/internal/cli/check.go", cobra, true},
		{"cmd/tfguard/internal/cli/check.go", lipgloss, false},
		{"cmd/tfguard/internal/report/text.go", lipgloss + "/table", true},
		{"cmd/tfguard/internal/report/text.go", cobra, false},
		{"cmd/tfguard/internal/report/build.go", module + "/extract", true},
		{"cmd/tfguard/internal/report/build.go", module + "/extract/terraform", false},
		{"cmd/tfguard/internal/report/text.go", module + "/cmd/tfguard/internal/cli", false},
		{"fixtures/fixtures.go", module + "/engine", false},
		{"elsewhere/elsewhere.go", "fmt", false},
		{"tfguard.go", "fmt", false},
	} {
		if why := checkImport(c.file, c.imported); (why == "") != c.ok {
			t.Errorf("checkImport(%q, %q) = %q, want ok %v", c.file, c.imported, why, c.ok)
		}
	}
}
