package request_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/tfguard/tfguard/engine/kleene"
	"github.com/tfguard/tfguard/engine/request"
	"github.com/tfguard/tfguard/engine/symbol"
)

// Rules 0.1.3 and B2: absent, empty and "" differ; names in any case.
func TestContext(t *testing.T) {
	var ctx request.Context
	if e := ctx.Get("aws:username"); e.Present != kleene.False || e.Values != nil {
		t.Errorf("the zero context: got %+v", e)
	}
	ctx.Delete("aws:username")
	ctx.SetString("aws:UserName", "bob")
	ctx.Set("aws:TagKeys")
	ctx.SetString("aws:referer", "")
	ctx.SetMaybe("aws:SourceIp", symbol.Literal("1.2.3.4"))
	for _, tc := range []struct {
		key     string
		present kleene.Truth
		values  int
	}{
		{"aws:username", kleene.True, 1}, {"AWS:USERNAME", kleene.True, 1}, {"aws:tagkeys", kleene.True, 0},
		{"aws:Referer", kleene.True, 1}, {"aws:sourceip", kleene.Unknown, 1}, {"aws:SourceVpc", kleene.False, 0},
	} {
		e := ctx.Get(tc.key)
		if e.Present != tc.present || len(e.Values) != tc.values {
			t.Errorf("%s: got %+v, want %v with %d values", tc.key, e, tc.present, tc.values)
		}
	}
	other := ctx.Clone()
	other.Delete("AWS:username")
	if other.Get("aws:username").Present != kleene.False || ctx.Get("aws:username").Present != kleene.True {
		t.Error("a change of the clone changed the original")
	}
	var names []string
	for e := range ctx.All() {
		names = append(names, e.Key)
	}
	if want := []string{"aws:referer", "aws:SourceIp", "aws:TagKeys", "aws:UserName"}; !slices.Equal(names, want) {
		t.Errorf("All: got %q, want %q", names, want)
	}
	for range ctx.All() {
		break
	}
}

// B2: of two tags whose names differ in case alone either may be compared.
func TestContextTwins(t *testing.T) {
	var ctx request.Context
	ctx.SetString("aws:ResourceTag/team", "red")
	ctx.SetString("aws:ResourceTag/team", "blue")
	if e := ctx.Get("aws:ResourceTag/Team"); e.Values[0] != symbol.Literal("blue") {
		t.Errorf("set again: got %+v", e)
	}
	ctx.SetMaybe("aws:ResourceTag/TEAM", symbol.Literal("blue"))
	if e := ctx.Get("aws:ResourceTag/team"); e.Present != kleene.True || e.Values[0].Known() {
		t.Errorf("twins: got %+v", e)
	}
	ctx.SetString("aws:sourcevpc", "vpc-1")
	ctx.SetString("aws:SourceVpc", "vpc-2")
	if e := ctx.Get("aws:SourceVpc"); e.Values[0] != symbol.Literal("vpc-2") {
		t.Errorf("no tag: got %+v", e)
	}
}

// An entry of a family speaks of all its keys, and says of none that it equals another.
func TestContextFamily(t *testing.T) {
	var ctx request.Context
	ctx.SetMaybe("aws:PrincipalTag/", symbol.Symbol{Name: "a tag"}.Text())
	ctx.SetString("aws:PrincipalTag/Team", "red")
	if got := ctx.Get("aws:principaltag/team"); got.Present != kleene.True || got.Values[0] != symbol.Literal("red") {
		t.Errorf("a key of its own: got %+v", got)
	}
	a, b := ctx.Get("aws:PrincipalTag/a"), ctx.Get("aws:PrincipalTag/b")
	if a.Present != kleene.Unknown || a.Values[0].Known() {
		t.Errorf("another key: got %+v", a)
	}
	if got := symbol.Equal(a.Values[0], b.Values[0]); got != kleene.Unknown {
		t.Errorf("two tags are equal: got %v, want unknown", got)
	}
	if got := symbol.Equal(a.Values[0], ctx.Get("AWS:PrincipalTag/A").Values[0]); got != kleene.True {
		t.Errorf("a tag is itself: got %v, want true", got)
	}
	if got := ctx.Get("aws:RequestTag/a"); got.Present != kleene.False {
		t.Errorf("another family: got %+v", got)
	}
}

// Rules A28, A31 and A34.
func TestLookup(t *testing.T) {
	var ctx request.Context
	ctx.SetString("aws:username", "bob")
	ctx.SetString("aws:TagKeys", "a")
	ctx.SetString("x:set", "a", "b")
	ctx.Set("x:empty")
	ctx.SetString("x:blank", "")
	ctx.SetMaybe("x:maybe", symbol.Literal("v"))
	for _, tc := range []struct {
		key, value string
		present    kleene.Truth
	}{
		{"AWS:username", "bob", kleene.True}, {"aws:TagKeys", "", kleene.False}, {"x:set", "", kleene.False},
		{"x:empty", "", kleene.False}, {"x:blank", "", kleene.True}, {"x:maybe", "v", kleene.Unknown}, {"x:absent", "", kleene.False},
	} {
		v, present := ctx.Lookup(tc.key)
		if present != tc.present || v.String() != tc.value {
			t.Errorf("%s: got %v, %v; want %q, %v", tc.key, v, present, tc.value, tc.present)
		}
	}
}

func TestFind(t *testing.T) {
	for _, tc := range []struct {
		key, name string
		typ       request.Type
		multi     bool
	}{
		{"aws:calledvia", "aws:CalledVia", request.String, true},
		{"aws:PrincipalOrgPaths", "aws:PrincipalOrgPaths", request.String, true},
		{"aws:PrincipalServiceNamesList", "aws:PrincipalServiceNamesList", request.String, true},
		{"aws:principaltag/Team", "aws:PrincipalTag/", request.String, false},
		{"aws:PrincipalTag/a/b", "aws:PrincipalTag/", request.String, false},
		{"AWS:ViaAWSService", "aws:ViaAWSService", request.Bool, false},
		{"aws:nothing", "", "", false},
		{"x:y/z", "", "", false},
	} {
		k, ok := request.Find(tc.key)
		if ok != (tc.name != "") || k.Name != tc.name || k.Type != tc.typ || request.Multivalued(tc.key) != tc.multi {
			t.Errorf("%s: got %+v, %v", tc.key, k, ok)
		}
		if strings.HasPrefix(tc.name, "aws:") != ok {
			t.Errorf("%s: found %v", tc.key, ok)
		}
	}
}
