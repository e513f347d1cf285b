package terraform

import (
	"strings"

	"github.com/tfguard/tfguard/engine/arn"
	"github.com/tfguard/tfguard/engine/symbol"
	"github.com/tfguard/tfguard/extract"
)

// A text is an attribute's text, remembered; busy while it is being made.
type text struct {
	path  string
	value symbol.Text
	busy  bool
}

// attr returns the text of an attribute of in as other resources refer to it: its
// known value, the value that follows from other attributes, or a symbol. path may
// go on below the attribute, as in roots.0.id; the symbol then keeps it.
func (r *resolver) attr(in *instance, path string) symbol.Text {
	if s, known := in.values[path].(string); known && s != "" {
		return symbol.Literal(s)
	}
	for i := range in.attrs {
		switch t := &in.attrs[i]; {
		case t.path != path:
		case t.busy:
			return r.symbol(in, path)
		default:
			return t.value
		}
	}
	at := len(in.attrs)
	in.attrs = append(in.attrs, text{path: path, busy: true})
	t := r.makeAttr(in, path)
	in.attrs[at] = text{path: path, value: t}
	return t
}

func (r *resolver) makeAttr(in *instance, path string) symbol.Text {
	steps := parseSteps(path)
	name := steps[0].name
	whole := len(steps) == 1 && steps[0].index == nil
	if c := constants(below(in.values, steps)); len(c) == 1 && !c[0].text.IsZero() {
		return c[0].text
	}
	rule := arnRules[in.typ]
	switch {
	case rule == nil || !whole:
	case name == "arn" && rule.arn != "":
		return r.expand(in, rule.arn)
	case name == "id" && rule.id != "":
		return r.expand(in, rule.id)
	case in.typ == "aws_sqs_queue" && name == "url":
		return r.expand(in, rule.id)
	case name == rule.name:
		return r.name(in, rule.name)
	case name == "key_id" && strings.HasPrefix(in.typ, "aws_kms_replica_"):
		// A replica has the key id of its primary.
		out, exact := r.wire(in, "primary_key_arn", want{attr: "arn", types: kmsKeys})
		if exact {
			if a, ok := arn.Parse(out.candidates[0].text); ok {
				return a.Name()
			}
		}
	case name == "path" && strings.HasPrefix(in.typ, "aws_iam_") && !in.isUnknown("path"):
		return symbol.Literal("/")
	case name == "group_name" && in.typ == "aws_scheduler_schedule" && !in.isUnknown("group_name"):
		return symbol.Literal("default")
	case name == "load_balancer_type":
		return symbol.Literal("app")
	}
	if w, ok := wires[in.typ+"."+name]; ok && whole {
		if out, exact := r.wire(in, name, w); exact {
			return out.candidates[0].text
		}
	}
	return r.symbol(in, path)
}

// below walks from a value along the steps of a reference. Of a list without an
// index, or with a key that the plan does not tell, it takes the first item.
func below(v any, steps []step) any {
	for _, s := range steps {
		if list, ok := v.([]any); ok && len(list) > 0 {
			v = list[0]
		}
		v = at(v, s.name)
		if i, ok := s.index.(int); ok {
			list, _ := v.([]any)
			if i < 0 || i >= len(list) {
				return nil
			}
			v = list[i]
		}
	}
	return v
}

// symbol is the unknown that stands for an attribute. What the service assigns is one
// segment of an ARN and, of a resource, differs from all else of its kind: a data source
// may read what another block makes.
func (r *resolver) symbol(in *instance, path string) symbol.Text {
	s := symbol.Symbol{Name: in.address + "." + path}
	rule := arnRules[in.typ]
	last := path[strings.LastIndexByte(path, '.')+1:]
	switch {
	case in.typ == "aws_organizations_account" && path == "id",
		in.typ == "aws_organizations_organization" && path == "master_account_id":
		s.Class, s.Unique = symbol.Digits, !in.data
	case rule != nil && path == rule.name, last == "id", strings.HasSuffix(last, "_id"), last == "suffix", last == "name":
		s.Class, s.Unique = symbol.Segment, !in.data
	}
	return s.Text()
}

// name is the text of a name: what the source makes of it, else as far as the
// configuration fixes it, a prefix.
func (r *resolver) name(in *instance, attr string) symbol.Text {
	if texts, ok := r.textsFromSource(in, attr); ok && len(texts) == 1 {
		return texts[0]
	}
	sym := symbol.Symbol{Name: in.address + "." + attr, Class: symbol.Segment, Unique: !in.data}.Text()
	if prefix, ok := in.str(attr + "_prefix"); ok {
		return symbol.Concat(symbol.Literal(prefix), sym)
	}
	return sym
}

// expand fills in the template of an [arnRule].
func (r *resolver) expand(in *instance, template string) symbol.Text {
	return r.expandName(in, template, nil)
}

// expandName is expand with the text of the name given, for a resource of the
// instance's provider that the input does not define.
func (r *resolver) expandName(in *instance, template string, name *symbol.Text) symbol.Text {
	return extract.Expand(template, func(key string) symbol.Text {
		switch {
		case key == "account":
			return r.accountOf(in)
		case key == "partition":
			return r.partitionOf(in)
		case key == "region":
			return r.regionOf(in)
		case key == "@suffix":
			return r.symbol(in, "suffix")
		case name != nil:
			return *name
		default:
			return r.attr(in, key)
		}
	})
}

var kmsKeys = []string{"aws_kms_key", "aws_kms_external_key", "aws_kms_replica_key", "aws_kms_replica_external_key"}

// wires are attributes that name another resource, by "type.attribute".
var wires = map[string]want{
	"aws_iam_instance_profile.role":        {"name", []string{"aws_iam_role"}},
	"aws_kms_alias.target_key_id":          {"key_id", kmsKeys},
	"aws_lambda_alias.function_name":       {"function_name", []string{"aws_lambda_function"}},
	"aws_glue_catalog_table.database_name": {"name", []string{"aws_glue_catalog_database"}},
	"aws_s3tables_table.table_bucket_arn":  {"arn", []string{"aws_s3tables_table_bucket"}},
	"aws_ecs_service.cluster":              {"arn", []string{"aws_ecs_cluster"}},
	"aws_eks_node_group.cluster_name":      {"name", []string{"aws_eks_cluster"}},
	"aws_codeartifact_repository.domain":   {"domain", []string{"aws_codeartifact_domain"}},
}

// keptTypes are the managed resources that a plan is kept for.
var keptTypes = func() map[string]bool {
	kept := map[string]bool{}
	for typ := range arnRules {
		kept[typ] = true
	}
	for _, c := range carriers {
		kept[c.typ] = true
	}
	for _, typ := range wiringTypes {
		kept[typ] = true
	}
	return kept
}()

// wiringTypes neither hold a policy nor have an ARN that policies name, and yet
// say what a policy is attached to or how it is evaluated.
var wiringTypes = []string{
	"aws_iam_role_policy_attachment", "aws_iam_user_policy_attachment", "aws_iam_group_policy_attachment",
	"aws_iam_policy_attachment", "aws_iam_group_membership", "aws_iam_user_group_membership",
	"aws_iam_role_policies_exclusive", "aws_iam_user_policies_exclusive", "aws_iam_group_policies_exclusive",
	"aws_iam_role_policy_attachments_exclusive", "aws_iam_user_policy_attachments_exclusive", "aws_iam_group_policy_attachments_exclusive",
	"aws_s3_bucket_public_access_block", "aws_s3_bucket_acl", "aws_s3_bucket_ownership_controls",
	"aws_s3_account_public_access_block",
	"aws_s3_bucket_server_side_encryption_configuration",
	"aws_ebs_default_kms_key", "aws_lakeformation_resource",
	"aws_organizations_organization", "aws_organizations_policy_attachment",
	"aws_ssoadmin_managed_policy_attachment", "aws_ssoadmin_customer_managed_policy_attachment",
	"aws_ssoadmin_permissions_boundary_attachment",
	"aws_lambda_permission", "aws_kms_grant", "aws_cloudwatch_event_permission", "aws_lambda_layer_version_permission",
	"aws_signer_signing_profile_permission", "aws_acmpca_permission",
}
