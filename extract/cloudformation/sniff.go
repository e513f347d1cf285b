package cloudformation

import (
	"path"
	"regexp"
	"strings"
)

// Marks of a template: a section at the left margin in YAML, or among the first
// names of a JSON object.
var (
	yamlMark = regexp.MustCompile(`(?m)^["']?(AWSTemplateFormatVersion|Resources|Transform)["']?[ \t]*:`)
	jsonMark = regexp.MustCompile(`^\s*\{\s*"(Resources|Parameters|Transform|Metadata|Mappings|Conditions|Outputs|Rules|Globals|Description)"\s*:|[^\\]"AWSTemplateFormatVersion"\s*:`)
	// A change set and the input of a hook.
	setMark  = regexp.MustCompile(`"(ChangeSetName|ChangeSetId)"\s*:`)
	hookMark = regexp.MustCompile(`"(HookContext|HookTypeName|hookTypeName)"\s*:`)
)

// HeadSize is how much of a file [Sniff] needs.
const HeadSize = 4096

// Sniff reports whether a file is an input of [Read] by its first bytes.
func Sniff(head []byte) bool {
	text := strings.TrimPrefix(string(head), "\uFEFF")
	if strings.HasPrefix(strings.TrimSpace(text), "{") {
		return jsonMark.MatchString(text) || setMark.MatchString(text) || hookMark.MatchString(text)
	}
	return yamlMark.MatchString(text)
}

// Named reports whether a file's name is that of a template.
func Named(file string) bool {
	switch strings.ToLower(path.Ext(file)) {
	case ".yaml", ".yml", ".template":
		return true
	}
	return strings.HasSuffix(file, ".template.json")
}
