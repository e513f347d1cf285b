package cloudformation

import (
	"path"
	"strings"

	"github.com/tfguard/tfguard/engine/kleene"
	"github.com/tfguard/tfguard/engine/source"
)

const stackType = "AWS::CloudFormation::Stack"

// nested reads the template of a nested stack from its local path, once; nil for
// what is no nested stack, or one whose template is not at hand.
func (r *resource) nested() *template {
	if r.typ != stackType || r.triedStack {
		return r.child
	}
	r.triedStack = true
	if r.condition != "" && r.evaluator().truth(r.condition) == kleene.False {
		return nil
	}
	local := r.localTemplate()
	if local == "" {
		r.notRead("its template is not a file beside this one")
		return nil
	}
	depth := 0
	for around := r.around; around != nil; around = around.around {
		depth++
	}
	if depth > 10 || len(r.templates) > 500 {
		r.notRead("stacks are nested too deep")
		return nil
	}
	text, err := r.opts.ReadFile(local)
	if err != nil {
		r.notRead(err.Error())
		return nil
	}
	root, err := Parse(text)
	if err != nil || !isTemplate(root) {
		r.notRead(local + " is no template")
		return nil
	}
	given := map[string]*source.Node{}
	if params := member(r.properties, "Parameters"); params != nil {
		for _, m := range params.Members {
			if v := r.evaluator().value(m.Value); v != nil {
				given[m.Name] = v
			}
		}
	}
	file := path.Join(path.Dir(r.templates[0].file), local)
	r.child = r.newTemplate(root, file, path.Dir(local), r, given)
	return r.child
}

// localTemplate is the path of a nested stack's template: what `aws cloudformation
// package` would upload, or what the CDK says of its assets.
func (r *resource) localTemplate() string {
	if r.opts.ReadFile == nil {
		return ""
	}
	name := literal(member(member(r.node, "Metadata"), "aws:asset:path"))
	if name == "" {
		name = literal(member(r.properties, "TemplateURL"))
	}
	if name == "" || strings.Contains(name, "://") {
		return ""
	}
	return path.Join(r.dir, name)
}

// notRead says that the template of a nested stack is not read.
func (r *resource) notRead(why string) {
	sentence := "The stack " + r.address + " is not read: " + why + ". Its resources are not known."
	r.Warn(r.place("TemplateURL"), r.at, "Nested stack not read", "%s", sentence)
	r.Incomplete = append(r.Incomplete, sentence)
}
