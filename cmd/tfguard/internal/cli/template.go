package cli

import (
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/pflag"

	"github.com/tfguard/tfguard/extract"
	"github.com/tfguard/tfguard/extract/cloudformation"
)

// templateOptions are the flags that say what a template's parameters are.
type templateOptions struct {
	files, values  []string
	assumeDefaults bool
}

func (o *templateOptions) flags(f *pflag.FlagSet) {
	f.StringArrayVar(&o.files, "parameters", nil, "`file` with the values of a template's parameters, in a form of the AWS CLI or CodePipeline, or as lines of Key=Value")
	f.StringArrayVar(&o.values, "parameter", nil, "value of a template's parameter, as `Key=Value`; AWS::AccountId and AWS::Region are among them")
	f.BoolVar(&o.assumeDefaults, "assume-defaults", false, "take the default of a template's parameter that has no value")
}

// parameters returns the values that the flags give; a later flag wins.
func (o *templateOptions) parameters() (map[string]string, error) {
	out := map[string]string{}
	for _, file := range o.files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		values, err := cloudformation.ParseParameters(text, file)
		if err != nil {
			return nil, err
		}
		maps.Copy(out, values)
	}
	for _, value := range o.values {
		key, text, ok := strings.Cut(value, "=")
		if !ok || key == "" {
			return nil, fmt.Errorf("--parameter takes Key=Value, and %q is none", value)
		}
		out[key] = text
	}
	return out, nil
}

// isTemplate reports whether a file that the user named is one of CloudFormation's:
// a template, a change set, the input of a hook.
func isTemplate(path string, head []byte) bool {
	return cloudformation.Named(path) || cloudformation.Sniff(head)
}

// isTemplateInFolder leaves out what another template of the folder leads to.
func isTemplateInFolder(path string, head []byte) bool {
	return !strings.HasSuffix(path, ".nested.template.json") && isText(path) && cloudformation.Sniff(head)
}

// readTemplate reads a template with the values that the flags give.
func readTemplate(ctx context.Context, from *sources, r io.Reader, path, name string) (*extract.Result, error) {
	values, err := from.templates.parameters()
	if err != nil {
		return nil, err
	}
	dir := filepath.Dir(path)
	return cloudformation.Read(ctx, r, name, cloudformation.Options{
		ManagedPolicy: managedPolicy, Account: from.account, Parameters: values, AssumeDefaults: from.templates.assumeDefaults,
		Before: from.before,
		ReadFile: func(file string) ([]byte, error) {
			if path == "-" {
				return nil, fmt.Errorf("standard input has no folder in which %s could be", file)
			}
			return os.ReadFile(filepath.Join(dir, filepath.FromSlash(file)))
		},
	})
}

// isText reports whether a file of a folder can be a template by its name.
func isText(path string) bool {
	switch strings.ToLower(filepath.Ext(path)) {
	case ".json", ".yaml", ".yml", ".template":
		return true
	}
	return false
}
