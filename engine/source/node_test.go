package source_test

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/tfguard/tfguard/engine/source"
	"github.com/tfguard/tfguard/engine/symbol"
)

// places renders a tree with the place of everything: name@range=value.
func places(n *source.Node) string {
	var b strings.Builder
	var walk func(n *source.Node)
	span := func(r source.Range) string { return r.Start.String() + "-" + r.End.String() }
	walk = func(n *source.Node) {
		b.WriteString(n.Kind.String() + "@" + span(n.Range))
		if !n.Text.IsZero() {
			b.WriteString("=" + n.Text.String())
		}
		for _, m := range n.Members {
			b.WriteString(" " + m.Name + "@" + span(m.Range) + ":")
			walk(m.Value)
		}
		for _, item := range n.Items {
			b.WriteString(" [")
			walk(item)
			b.WriteString("]")
		}
	}
	walk(n)
	return b.String()
}

func TestParseJSONPositions(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"scalar", `true`, "boolean@1:1-1:5=true"},
		{"null", ` null `, "null@1:2-1:6"},
		{"number keeps its spelling", `[1.50,-2e3]`, "array@1:1-1:12 [number@1:2-1:6=1.50] [number@1:7-1:11=-2e3]"},
		{"empty", `{}`, "object@1:1-1:3"},
		{"object", "{\n  \"a\": \"b\",\n  \"c\" : [ false ]\n}", "object@1:1-4:2 a@2:3-2:6:string@2:8-2:11=b c@3:3-3:6:array@3:9-3:18 [boolean@3:11-3:16=false]"},
		{"CRLF", "{\r\n\"a\":1\r\n}", "object@1:1-3:2 a@2:1-2:4:number@2:5-2:6=1"},
		{"columns count code points", `["ä€😀",1]`, "array@1:1-1:10 [string@1:2-1:7=ä€😀] [number@1:8-1:9=1]"},
		{"escapes", `["\u00e4\n\"\ud83d\ude00"]`, "array@1:1-1:27 [string@1:2-1:26=ä\n\"😀]"},
		{"duplicates keep their order", `{"a":1,"A":2,"a":3}`, "object@1:1-1:20 a@1:2-1:5:number@1:6-1:7=1 A@1:8-1:11:number@1:12-1:13=2 a@1:14-1:17:number@1:18-1:19=3"},
		{"byte-order mark", "\uFEFF[1]", "array@1:1-1:4 [number@1:2-1:3=1]"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			n, err := source.ParseJSON(tc.text)
			if err != nil {
				t.Fatal(err)
			}
			if got := places(n); got != tc.want {
				t.Errorf("got  %s\nwant %s", got, tc.want)
			}
		})
	}
}

func TestParseJSONBytes(t *testing.T) {
	const text = "\uFEFF{\"ä\":\n \"x\"}"
	n, err := source.ParseJSON(text)
	if err != nil {
		t.Fatal(err)
	}
	m := n.Members[0]
	for _, tc := range []struct {
		rng  source.Range
		want string
	}{{m.Range, `"ä"`}, {m.Value.Range, `"x"`}, {n.Range, strings.TrimPrefix(text, "\uFEFF")}} {
		if got := text[tc.rng.Start.Byte:tc.rng.End.Byte]; got != tc.want {
			t.Errorf("got %q, want %q", got, tc.want)
		}
	}
	if got, want := m.Value.Range.Start, (source.Pos{Line: 2, Column: 2, Byte: 11}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestParseJSONErrors(t *testing.T) {
	tests := []struct{ name, text, pos, msg string }{
		{"empty", "", "1:1", "ends too early"},
		{"only a byte-order mark", "\uFEFF", "1:1", "ends too early"},
		{"only space", " \n ", "2:2", "ends too early"},
		{"truncated object", "{\"a\":\n", "2:1", "ends too early"},
		{"truncated string", "[\n \"ab", "2:5", "ends too early"},
		{"truncated literal", "[tru", "1:5", "ends too early"},
		{"no value", `{"a":}`, "1:6", ""},
		{"trailing comma", "[1,\n]", "1:3", ""},
		{"single quotes", `{'a':1}`, "1:2", ""},
		{"trailing value", "{}\n {}", "2:2", "unexpected text after"},
		{"trailing string", `"a" "b"`, "1:5", "unexpected text after"},
		{"trailing text", "{}\n  x", "2:3", ""},
		{"trailing brace", "{}\n }", "2:2", ""},
		{"byte-order mark before an error", "\uFEFF[x]", "1:2", ""},
		{"bare word after umlaut", `["ä", x]`, "1:7", ""},
		{"unpaired surrogate", `["\ud800"]`, "1:3", ""},
		{"invalid UTF-8", "[\"\xff\"]", "1:3", ""},
		{"name is no string", `{1:2}`, "1:2", ""},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			n, err := source.ParseJSON(tc.text)
			var syn *source.SyntaxError
			if !errors.As(err, &syn) || n != nil {
				t.Fatalf("got %v, error %v; want a SyntaxError", n, err)
			}
			if got := syn.Pos.String(); got != tc.pos {
				t.Errorf("position: got %s, want %s (%v)", got, tc.pos, err)
			}
			if !strings.Contains(err.Error(), tc.msg) || !strings.HasPrefix(err.Error(), tc.pos+": ") {
				t.Errorf("message: got %q, want %q", err, tc.msg)
			}
		})
	}
}

func TestParseJSONDepth(t *testing.T) {
	nested := func(n int) []byte { return []byte(strings.Repeat("[", n) + strings.Repeat("]", n)) }
	if _, err := source.ParseJSON(nested(200)); err != nil {
		t.Errorf("200 levels: %v", err)
	}
	for _, text := range [][]byte{nested(300), nested(100_000), []byte(strings.Repeat(`{"a":`, 300))} {
		_, err := source.ParseJSON(text)
		if err == nil || !strings.Contains(err.Error(), "nested") {
			t.Errorf("%d bytes: got %v, want an error about nesting", len(text), err)
		}
	}
}

// Positions are found by one walk over the text: a long line does not make a
// document slow.
func TestParseJSONLongLine(t *testing.T) {
	text := "[" + strings.Repeat(`"äöü",`, 200_000) + "1]"
	n, err := source.ParseJSON(text)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := n.Range.End.Column, utf8.RuneCountInString(text)+1; got != want {
		t.Errorf("got column %d, want %d", got, want)
	}
}

func TestMarshalJSON(t *testing.T) {
	n, err := source.ParseJSON(`{ "a" : [1.50, true, null, "ä\n<"], "a": {}, "b": [] }`)
	if err != nil {
		t.Fatal(err)
	}
	name := symbol.Symbol{Name: "x.y"}.Text()
	n.Members = append(n.Members, source.Member{Name: "c", Value: &source.Node{Kind: source.List, Items: []*source.Node{
		{Kind: source.Unknown, Text: name}, {Kind: source.Unknown}, {Kind: source.String, Text: symbol.Concat(symbol.Literal("p-"), name)}, nil,
	}}})
	const want = `{"a":[1.50,true,null,"ä\n<"],"a":{},"b":[],"c":["${x.y}",null,"p-${x.y}",null]}`
	if got, err := n.MarshalJSON(); err != nil || string(got) != want {
		t.Errorf("got %s, error %v; want %s", got, err, want)
	}
}

// A parser gives every text the tree that it has by itself, whatever came before.
func TestParserReuse(t *testing.T) {
	large := `{"a":[` + strings.Repeat(`{"b":["c",{}]},`, 200) + `null],"d":{"e":1}}`
	var p source.Parser
	for _, text := range []string{large, `{"a":"\u00e4"}`, "[1,", large, "\uFEFF[]", `{"a":`, `"x"`, large} {
		want, wantErr := source.ParseJSON(text)
		got, err := p.Parse(text)
		switch {
		case (err == nil) != (wantErr == nil) || err != nil && err.Error() != wantErr.Error():
			t.Errorf("%.20q: got error %v, want %v", text, err, wantErr)
		case err == nil && places(got) != places(want):
			t.Errorf("%.20q: got %s, want %s", text, places(got), places(want))
		}
	}
	n, err := p.Parse(`["kept"]`)
	if err != nil {
		t.Fatal(err)
	}
	kept := n.Items[0].Text
	if _, err := p.Parse(`["else"]`); err != nil || kept.String() != "kept" {
		t.Errorf("got %q, error %v: a text outlives its tree", kept, err)
	}
	if got := testing.AllocsPerRun(100, func() { _, _ = p.Parse(`{"a":["b","c"],"d":{"e":true}}`) }); got > 4 {
		t.Errorf("got %v allocations, want none for the tree", got)
	}
}

func FuzzParseJSON(f *testing.F) {
	for _, seed := range []string{
		"", "{}", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`, "\uFEFF[1, 2.50e-3]",
		"{\"a\":\n\"\\u00e4\"}", `{"a":1,"a":2}`, "[", `{"a"`, `"\ud800"`, "[1] x", "tru", "[[[[[[]]]]]]", "\"\xff\"", "{\"ä\": [null, true, \"€\"]}\r\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		before := string(text)
		var p source.Parser
		if _, err := p.Parse(`{"a":[1,{}]}`); err != nil {
			t.Fatal(err)
		}
		n, err := p.Parse(before)
		if string(text) != before {
			t.Fatal("the text was changed")
		}
		if err != nil {
			var syn *source.SyntaxError
			if !errors.As(err, &syn) {
				t.Fatalf("%T is no SyntaxError", err)
			}
			checkPos(t, text, syn.Pos)
			return
		}
		checkNode(t, text, n, source.Range{Start: source.Pos{Line: 1, Column: 1}, End: source.Pos{Byte: len(text)}})
		written, err := n.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		again, err := source.ParseJSON(written)
		if err != nil {
			t.Fatalf("%s: %v", written, err)
		}
		if twice, _ := again.MarshalJSON(); string(twice) != string(written) {
			t.Fatalf("got %s, want %s", twice, written)
		}
	})
}

func checkNode(t *testing.T, text []byte, n *source.Node, within source.Range) {
	checkRange(t, text, n.Range, within)
	at := text[n.Range.Start.Byte]
	switch n.Kind {
	case source.String:
		if at != '"' || text[n.Range.End.Byte-1] != '"' {
			t.Fatalf("string at %v begins with %q", n.Range.Start, at)
		}
	case source.Object, source.List:
		if at != '{' && at != '[' {
			t.Fatalf("%v at %v begins with %q", n.Kind, n.Range.Start, at)
		}
	case source.Number, source.Bool:
		if got, want := n.Text.String(), string(text[n.Range.Start.Byte:n.Range.End.Byte]); got != want {
			t.Fatalf("%v at %v: got %q, want %q", n.Kind, n.Range.Start, got, want)
		}
	}
	for _, m := range n.Members {
		checkRange(t, text, m.Range, n.Range)
		if text[m.Range.Start.Byte] != '"' {
			t.Fatalf("name at %v begins with %q", m.Range.Start, text[m.Range.Start.Byte])
		}
		checkNode(t, text, m.Value, n.Range)
	}
	for _, item := range n.Items {
		checkNode(t, text, item, n.Range)
	}
}

func checkRange(t *testing.T, text []byte, r, within source.Range) {
	checkPos(t, text, r.Start)
	checkPos(t, text, r.End)
	if r.Start.Byte >= r.End.Byte || r.Start.Byte < within.Start.Byte || r.End.Byte > within.End.Byte {
		t.Fatalf("range %+v is not inside %+v", r, within)
	}
}

// checkPos recounts a position from the start of the text.
func checkPos(t *testing.T, text []byte, p source.Pos) {
	if p.Byte < 0 || p.Byte > len(text) {
		t.Fatalf("position %+v is not inside a text of %d bytes", p, len(text))
	}
	before := strings.TrimPrefix(string(text[:p.Byte]), "\uFEFF")
	line := 1 + strings.Count(before, "\n")
	column := 1 + utf8.RuneCountInString(before[strings.LastIndexByte(before, '\n')+1:])
	if p.Line != line || p.Column != column {
		t.Fatalf("position %+v: want line %d, column %d", p, line, column)
	}
}
