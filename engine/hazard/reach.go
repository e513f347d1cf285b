package hazard

import (
	"regexp"
	"strings"

	"github.com/tfguard/tfguard/engine/arn"
	"github.com/tfguard/tfguard/engine/awsref"
	"github.com/tfguard/tfguard/engine/kleene"
	"github.com/tfguard/tfguard/engine/symbol"
)

// A shape is an ARN with unknown parts, taken apart where it can be.
type shape struct {
	text symbol.Text
	arn  arn.ARN
	ok   bool
}

func newShape(t symbol.Text) shape {
	a, ok := arn.Parse(t)
	return shape{t, a, ok}
}

// anyOfS3 stands for the resources of an S3 action that the reference lists none for.
var anyOfS3 = []shape{newShape(symbol.Literal("arn:aws:s3:::*"))}

// worksOn returns what ARNs the resources of an action have, none if it has no
// resource types; ok is false for an action that is not known.
func (f *finder) worksOn(action string) (arns []shape, ok bool) {
	if arns, ok = f.shapes[action]; ok {
		return arns, true
	}
	prefix, name, _ := strings.Cut(action, ":")
	service, ok := awsref.LookupService(prefix)
	if !ok {
		return nil, false
	}
	a, ok := service.Action(name)
	if !ok {
		return nil, false
	}
	arns = []shape{}
	for _, use := range a.ResourceTypes {
		rt, ok := service.ResourceType(use.Name)
		if !ok || len(rt.ARNs) == 0 {
			return nil, false
		}
		for _, pattern := range rt.ARNs {
			arns = append(arns, newShape(anyOf(pattern)))
		}
	}
	f.shapes[action] = arns
	return arns, true
}

var placeholder = regexp.MustCompile(`\$\{([A-Za-z]+)\}`)

// anyOf makes the text of an ARN of a shape such as
// "arn:${Partition}:s3:::${BucketName}/${ObjectName}". Names may have slashes, those
// of buckets do not.
func anyOf(shape string) symbol.Text {
	var out []symbol.Text
	end := 0
	for _, m := range placeholder.FindAllStringSubmatchIndex(shape, -1) {
		name := shape[m[2]:m[3]]
		class := symbol.Segment
		if strings.Count(shape[:m[0]], ":") >= 5 && name != "BucketName" {
			class = symbol.Any
		}
		out = append(out, symbol.Literal(shape[end:m[0]]), symbol.Symbol{Name: name, Class: class}.Text())
		end = m[1]
	}
	return symbol.Concat(append(out, symbol.Literal(shape[end:]))...)
}

// names reports whether a resource of the statement may be one that an action works
// on. (S3's actions without resource types match patterns for all buckets too.)
func (s *statement) names(action string, arns []shape) bool {
	if len(arns) == 0 && strings.HasPrefix(strings.ToLower(action), "s3:") {
		arns = anyOfS3
	}
	for i := range s.Resources.Entries {
		r := &s.Resources.Entries[i]
		if !r.Text().Known() || len(r.Variables()) > 0 || !r.Full() {
			return true
		}
		for j := range arns {
			a := &arns[j]
			if truth, _ := r.MatchParsed(a.text, &a.arn, a.ok, nil); truth != kleene.False {
				return true
			}
		}
	}
	return false
}
