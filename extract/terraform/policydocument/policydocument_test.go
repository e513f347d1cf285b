package policydocument_test

import (
	"testing"

	"github.com/tfguard/tfguard/engine/source"
	"github.com/tfguard/tfguard/engine/symbol"
	"github.com/tfguard/tfguard/extract/terraform/policydocument"
)

// Arguments are written as JSON; the string "?" stands for a value that is not known.
func TestRender(t *testing.T) {
	for _, tc := range []struct{ name, arguments, want string }{
		{
			"defaults",
			`{"statement":[{"actions":["s3:GetObject"],"resources":["*"]}]}`,
			`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]}`,
		},
		{
			"sets in descending order, policy variables",
			`{"policy_id":"i","statement":[{"sid":"S","effect":"Deny","not_actions":["a:A","a:B","a:A"],"not_resources":["x","&{aws:username}"]}]}`,
			`{"Version":"2012-10-17","Id":"i","Statement":[{"Sid":"S","Effect":"Deny","NotAction":["a:B","a:A"],"NotResource":["x","${aws:username}"]}]}`,
		},
		{
			"everyone is bare, everyone of AWS is not",
			`{"statement":[{"principals":[{"type":"*","identifiers":["*"]}]},{"principals":[{"type":"AWS","identifiers":["*"]}]}]}`,
			`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*"},{"Effect":"Allow","Principal":{"AWS":"*"}}]}`,
		},
		{
			"blocks of one type are joined; values keep their order",
			`{"statement":[{"principals":[{"type":"AWS","identifiers":["1"]},{"type":"AWS","identifiers":["2"]}],
			  "condition":[{"test":"StringLike","variable":"k","values":["b","a"]},{"test":"StringLike","variable":"l","values":["c"]}]}]}`,
			`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":["1","2"]},"Condition":{"StringLike":{"k":["b","a"],"l":"c"}}}]}`,
		},
		{
			"merged by Sid, in order; the newer version counts",
			`{"version":"2008-10-17","source_policy_documents":["{\"Version\":\"2012-10-17\",\"Statement\":[{\"Sid\":\"A\"},{\"Sid\":\"B\"}]}",""],
			  "statement":[{"sid":"B","effect":"Deny"}],"override_policy_documents":["{\"Id\":\"o\",\"Statement\":{\"Sid\":\"A\",\"Effect\":\"Deny\"}}"]}`,
			`{"Version":"2012-10-17","Id":"o","Statement":[{"Sid":"A","Effect":"Deny"},{"Sid":"B","Effect":"Deny"}]}`,
		},
		{
			"an override that is not known may replace what has a Sid",
			`{"statement":[{"sid":"A"},{"effect":"Deny"}],"override_policy_documents":["?"]}`,
			`{"Version":"2012-10-17","Statement":["${?}",{"Effect":"Deny"},"${?}"]}`,
		},
		{
			"what a condition is about is not known",
			`{"statement":[{"sid":"A","condition":[{"test":"StringEquals","variable":"?","values":["v"]}]}]}`,
			`{"Version":"2012-10-17","Statement":[{"Sid":"A","Effect":"Allow","Condition":"${?}"}]}`,
		},
		{"statements are not known", `{"statement":"?"}`, `{"Version":"2012-10-17","Statement":"${?}"}`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			arguments, err := source.ParseJSON(tc.arguments)
			if err != nil {
				t.Fatal(err)
			}
			forget(arguments)
			doc, err := policydocument.Render(arguments)
			if err != nil {
				t.Fatal(err)
			}
			got, err := doc.MarshalJSON()
			if err != nil {
				t.Fatal(err)
			}
			if string(got) != tc.want {
				t.Errorf("\n got %s\nwant %s", got, tc.want)
			}
		})
	}
}

func forget(n *source.Node) {
	if n.Text == symbol.Literal("?") {
		n.Kind, n.Text = source.Unknown, symbol.Symbol{Name: "?"}.Text()
	}
	for _, m := range n.Members {
		forget(m.Value)
	}
	for _, item := range n.Items {
		forget(item)
	}
}

func TestRenderNoDocument(t *testing.T) {
	arguments, err := source.ParseJSON(`{"source_policy_documents":["no JSON"]}`)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := policydocument.Render(arguments); err == nil {
		t.Error("a text that is no JSON is taken for a document")
	}
}
