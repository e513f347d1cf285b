package refdata

import (
	"bytes"
	"cmp"
	"compress/flate"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/tfguard/tfguard/engine/awsref/internal/table"
)

// makePolicies makes policies.bin.
func makePolicies(in Files) ([]byte, error) {
	var list map[string]struct {
		ARN      string `json:"arn"`
		Default  string `json:"latestVersionId"`
		Versions map[string]struct {
			Document json.RawMessage `json:"document"`
		} `json:"versions"`
	}
	if err := in.decode("dist/managedPolicies.json", false, &list); err != nil {
		return nil, err
	}
	names := slices.Sorted(maps.Keys(list))
	texts := make([][]byte, len(names))
	for i, name := range names {
		text, err := document(list[name].Versions[list[name].Default].Document)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		texts[i] = text
	}
	dictionary := makeDictionary(texts)

	keyed := make([]table.Keyed, len(names))
	for i, name := range names {
		path, ok := strings.CutPrefix(list[name].ARN, "arn:aws:iam::aws:policy/")
		if ok {
			path, ok = strings.CutSuffix("/"+path, "/"+name)
		}
		if !ok {
			return nil, fmt.Errorf("%s: unexpected ARN %s", name, list[name].ARN)
		}
		var packed bytes.Buffer
		w, err := flate.NewWriterDict(&packed, flate.BestCompression, dictionary)
		if err != nil {
			return nil, err
		}
		if _, err := w.Write(texts[i]); err != nil {
			return nil, err
		}
		if err := w.Close(); err != nil {
			return nil, err
		}
		record := table.AppendString(nil, path+"/")
		record = table.AppendNumber(record, len(texts[i]))
		keyed[i] = table.Keyed{Key: name, Record: append(record, packed.Bytes()...)}
	}
	out := table.AppendString([]byte(table.PoliciesHeading), string(dictionary))
	return table.AppendKeyed(out, keyed)
}

// document lays a policy document out so that people can read it, and diagnostics
// point at lines of it.
func document(raw json.RawMessage) ([]byte, error) {
	var out bytes.Buffer
	if err := json.Indent(&out, raw, "", "  "); err != nil {
		return nil, err
	}
	out.WriteByte('\n')
	return out.Bytes(), nil
}

const (
	dictionarySize = 32 << 10 // the window of deflate
	segmentSize    = 96       // what is taken into the dictionary at once
	shingleSize    = 8        // the text whose repetition counts
)

// makeDictionary returns the text that the documents are packed against. It takes, from
// each part of all documents, the segment whose shingles are in most documents and not
// in the dictionary yet (as the cover algorithm of Zstandard's dictionary builder does).
// The best segments come last, where references to them are shortest.
func makeDictionary(texts [][]byte) []byte {
	all := bytes.Join(texts, nil)
	if len(all) < 2*dictionarySize {
		return nil
	}

	// The shingle that begins at each byte, as a number, and the gain of each: the
	// number of documents that repeat it.
	shingles := make([]int, 0, len(all))
	numbers := map[string]int{}
	var gain, last []int
	at := 0
	for document, text := range texts {
		for range text {
			s := string(all[at:min(at+shingleSize, len(all))])
			n, ok := numbers[s]
			if !ok {
				n = len(gain)
				numbers[s] = n
				gain, last = append(gain, -1), append(last, -1)
			}
			if last[n] != document {
				last[n] = document
				gain[n]++
			}
			shingles = append(shingles, n)
			at++
		}
	}

	type segment struct{ start, score int }
	var chosen []segment
	inside := make([]int, len(gain)) // how often a shingle is in the segment
	const parts, window = dictionarySize / segmentSize, segmentSize - shingleSize + 1
	for part := range parts {
		low, high := len(all)*part/parts, len(all)*(part+1)/parts
		var best segment
		score := 0
		for i := low; i < high; i++ {
			if n := shingles[i]; inside[n] == 0 {
				score += gain[n]
			}
			inside[shingles[i]]++
			if start := i - window + 1; start >= low {
				if score > best.score && start+segmentSize <= len(all) {
					best = segment{start, score}
				}
				n := shingles[start]
				if inside[n]--; inside[n] == 0 {
					score -= gain[n]
				}
			}
		}
		clear(inside)
		if best.score == 0 {
			continue
		}
		chosen = append(chosen, best)
		for _, n := range shingles[best.start : best.start+window] {
			gain[n] = 0
		}
	}
	slices.SortStableFunc(chosen, func(a, b segment) int { return cmp.Compare(a.score, b.score) })
	var out []byte
	for _, s := range chosen {
		out = append(out, all[s.start:s.start+segmentSize]...)
	}
	return out
}
