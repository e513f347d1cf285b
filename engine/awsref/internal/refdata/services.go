package refdata

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/tfguard/tfguard/engine/awsref/internal/table"
)

// The files of the package, as far as they are used.
type (
	action struct {
		Name             string        `json:"name"`
		AccessLevel      string        `json:"accessLevel"`
		ResourceTypes    []resourceUse `json:"resourceTypes"`
		ConditionKeys    []string      `json:"conditionKeys"`
		DependentActions []string      `json:"dependentActions"`
	}
	resourceUse struct {
		Name             string   `json:"name"`
		Required         bool     `json:"required"`
		ConditionKeys    []string `json:"conditionKeys"`
		DependentActions []string `json:"dependentActions"`
	}
	resourceType struct {
		Key           string   `json:"key"`
		ARN           string   `json:"arn"`
		ConditionKeys []string `json:"conditionKeys"`
	}
	conditionKey struct {
		Key  string `json:"key"`
		Type string `json:"type"`
	}
)

// makeServices makes services.bin.
func makeServices(in Input) ([]byte, error) {
	var prefixes []string
	names := map[string]string{}
	if err := in.Services.decode("data/services.json", false, &prefixes); err != nil {
		return nil, err
	}
	if err := in.Services.decode("data/serviceNames.json", false, &names); err != nil {
		return nil, err
	}
	controlled, err := controlledServices(in, prefixes)
	if err != nil {
		return nil, err
	}

	var services []table.Keyed
	keys := map[string]conditionKey{} // by lower-case name
	owned := map[string]bool{}
	for _, prefix := range slices.Sorted(slices.Values(prefixes)) {
		b := builder{in: in, prefix: prefix}
		record, err := b.service(names[prefix], controlled[prefix])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", prefix, err)
		}
		services = append(services, table.Keyed{Key: prefix, Record: record})
		for _, k := range b.declared {
			of, _, _ := strings.Cut(k.Key, ":")
			name := strings.ToLower(k.Key)
			if _, ok := keys[name]; !ok {
				keys[name] = k
			}
			owned[name] = owned[name] || of == prefix || of == "aws"
		}
	}
	var foreign []table.Keyed
	for _, name := range slices.Sorted(maps.Keys(keys)) {
		if !owned[name] {
			record, err := keys[name].record()
			if err != nil {
				return nil, err
			}
			foreign = append(foreign, record)
		}
	}
	principals, err := servicePrincipals(in)
	if err != nil {
		return nil, err
	}

	out := []byte(table.ServicesHeading)
	for _, list := range [][]table.Keyed{services, foreign, principals} {
		if out, err = table.AppendKeyed(out, list); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// controlledServices returns the prefixes of the services under resource control
// policies. The table and the package must name the same: where they differ, somebody
// has to look at what AWS says now.
func controlledServices(in Input, prefixes []string) (map[string]bool, error) {
	lines, err := rows("rcp_services.tsv", in.RCPServices, "prefix", "name", "source")
	if err != nil {
		return nil, err
	}
	var listed []string
	if err := in.Services.decode("data/rcpSupportedServices.json", false, &listed); err != nil {
		return nil, err
	}
	set := map[string]bool{}
	for _, line := range lines {
		prefix := line["prefix"]
		if !slices.Contains(listed, prefix) {
			return nil, fmt.Errorf("rcp_services.tsv: %s is not in %s", prefix, Services.Name)
		}
		if !slices.Contains(prefixes, prefix) {
			return nil, fmt.Errorf("rcp_services.tsv: %s is no service", prefix)
		}
		set[prefix] = true
	}
	for _, prefix := range listed {
		if !set[prefix] {
			return nil, fmt.Errorf("rcp_services.tsv: %s is missing", prefix)
		}
	}
	return set, nil
}

func servicePrincipals(in Input) ([]table.Keyed, error) {
	const name = "service_principals.tsv"
	lines, err := rows(name, in.ServicePrincipals, "principal", "confidence", "calledvia", "calledvia_evidence", "evidence")
	if err != nil {
		return nil, err
	}
	var list []table.Keyed
	for _, line := range lines {
		flags := 0
		switch confidence := line["confidence"]; confidence {
		case "confirmed":
			flags |= table.Confirmed
		case "derived":
		default:
			return nil, fmt.Errorf("%s: %s: unexpected confidence %q", name, line["principal"], confidence)
		}
		switch via := line["calledvia"]; via {
		case "yes":
			flags |= table.CalledVia
		case "no":
		default:
			return nil, fmt.Errorf("%s: %s: unexpected calledvia %q", name, line["principal"], via)
		}
		list = append(list, table.Keyed{Key: line["principal"], Record: table.AppendNumber(nil, flags)})
	}
	return list, nil
}

// record returns the record of a condition key.
func (k conditionKey) record() (table.Keyed, error) {
	of := slices.Index(table.KeyTypes[:], k.Type)
	if of < 0 {
		return table.Keyed{}, fmt.Errorf("condition key %s: unexpected type %q", k.Key, k.Type)
	}
	return table.Keyed{Key: k.Key, Record: table.AppendNumber(nil, of)}, nil
}

// A builder makes the record of one service.
type builder struct {
	in       Input
	prefix   string
	declared map[string]conditionKey

	stem       string
	dependents interned // actions
	keySets    interned
	actionSets interned
	shapes     interned
	keys       map[string]int // index by lower-case name
	types      map[string]int // index by lower-case name
}

// interned are records, each of which is there once.
type interned struct {
	records [][]byte
	index   map[string]int
}

func (in *interned) add(record []byte) int {
	i, ok := in.index[string(record)]
	if !ok {
		if in.index == nil {
			in.index = map[string]int{}
		}
		i = len(in.records)
		in.index[string(record)] = i
		in.records = append(in.records, record)
	}
	return i
}

func (b *builder) service(name string, controlled bool) ([]byte, error) {
	if name == "" {
		return nil, errors.New("service has no name")
	}
	file := func(folder string) string { return "data/" + folder + "/" + b.prefix + ".json" }
	var (
		actions = map[string]action{}
		older   = map[string]action{}
		types   = map[string]resourceType{}
	)
	for _, err := range []error{
		b.in.Services.decode(file("actions"), false, &actions),
		b.in.Services.decode(file("resourceTypes"), true, &types),
		b.in.Services.decode(file("conditionKeys"), true, &b.declared),
		b.in.Dependents.decode(file("actions"), true, &older),
	} {
		if err != nil {
			return nil, err
		}
	}
	b.stem = stem(types)
	b.keys = positions(b.declared, func(k conditionKey) string { return k.Key })
	b.types = positions(types, func(t resourceType) string { return t.Key })

	var keyList, typeList, actionList []table.Keyed
	for _, id := range slices.Sorted(maps.Keys(b.declared)) {
		record, err := b.declared[id].record()
		if err != nil {
			return nil, err
		}
		keyList = append(keyList, record)
	}
	for _, id := range slices.Sorted(maps.Keys(types)) {
		record, err := b.resourceType(types[id])
		if err != nil {
			return nil, fmt.Errorf("resource type %s: %w", types[id].Key, err)
		}
		typeList = append(typeList, table.Keyed{Key: types[id].Key, Record: record})
	}
	for _, id := range slices.Sorted(maps.Keys(actions)) {
		record, err := b.action(actions[id], older[id])
		if err != nil {
			return nil, fmt.Errorf("action %s: %w", actions[id].Name, err)
		}
		actionList = append(actionList, table.Keyed{Key: actions[id].Name, Record: record})
	}

	flags := 0
	if controlled {
		flags |= table.ResourceControl
	}
	out := table.AppendString(nil, name)
	out = table.AppendNumber(out, flags)
	out = table.AppendString(out, b.stem)
	var err error
	for _, list := range [][][]byte{b.dependents.records, b.keySets.records, b.actionSets.records} {
		if out, err = table.Append(out, list); err != nil {
			return nil, err
		}
	}
	for _, list := range [][]table.Keyed{keyList, typeList} {
		if out, err = table.AppendKeyed(out, list); err != nil {
			return nil, err
		}
	}
	if out, err = table.Append(out, b.shapes.records); err != nil {
		return nil, err
	}
	return table.AppendKeyed(out, actionList)
}

// positions returns where in a keyed table the names of a map's values will be.
func positions[V any](of map[string]V, name func(V) string) map[string]int {
	var names []string
	for _, v := range of {
		names = append(names, strings.ToLower(name(v)))
	}
	slices.SortFunc(names, table.Compare)
	index := map[string]int{}
	for i, n := range names {
		index[n] = i
	}
	return index
}

// patterns returns the ARN patterns of a resource type. Several of one type are a list
// between commas in the package.
func (t resourceType) patterns() []string { return strings.Split(t.ARN, ", ") }

// stem returns how most ARN patterns of a service begin, up to their account, or "".
func stem(types map[string]resourceType) string {
	count := map[string]int{}
	for _, t := range types {
		for _, p := range t.patterns() {
			// arn:partition:service:region:account:what
			if parts := strings.SplitAfterN(p, ":", 6); len(parts) == 6 {
				count[strings.Join(parts[:5], "")]++
			}
		}
	}
	best := ""
	for _, s := range slices.Sorted(maps.Keys(count)) {
		if count[s] > count[best] {
			best = s
		}
	}
	return best
}

func (b *builder) resourceType(t resourceType) ([]byte, error) {
	patterns := t.patterns()
	record := table.AppendNumber(nil, len(patterns))
	for _, p := range patterns {
		if !strings.HasPrefix(p, "arn:") {
			return nil, fmt.Errorf("unexpected ARN pattern %q", p)
		}
		withStem := 0
		if b.stem != "" && strings.HasPrefix(p, b.stem) {
			withStem, p = 1, p[len(b.stem):]
		}
		record = table.AppendNumber(record, withStem)
		record = table.AppendString(record, p)
	}
	keys, err := b.keySet(t.ConditionKeys)
	if err != nil {
		return nil, err
	}
	return table.AppendNumber(record, keys), nil
}

// action makes the record of an action, with the dependent actions that the older
// package has for it.
func (b *builder) action(a, older action) ([]byte, error) {
	dependents := slices.Clone(older.DependentActions)
	ofType := map[string][]string{}
	for _, t := range older.ResourceTypes {
		dependents = append(dependents, t.DependentActions...)
		ofType[t.Name] = t.DependentActions
	}

	if n := len(a.ResourceTypes); n > table.MaxResourceTypes {
		return nil, fmt.Errorf("%d resource types: the format allows %d", n, table.MaxResourceTypes)
	}
	if n := len(dependents); n > table.MaxSet {
		return nil, fmt.Errorf("%d dependent actions: the format allows %d", n, table.MaxSet)
	}
	levels := 0
	for level := range strings.SplitSeq(a.AccessLevel, ", ") {
		bit := slices.Index(table.AccessLevels[:], level)
		if bit < 0 {
			return nil, fmt.Errorf("unexpected access level %q", a.AccessLevel)
		}
		levels |= 1 << bit
	}
	keys, err := b.keySet(a.ConditionKeys)
	if err != nil {
		return nil, err
	}
	shape := table.AppendNumber(nil, levels)
	shape = table.AppendNumber(shape, keys)
	shape = table.AppendNumber(shape, b.actionSet(dependents))
	shape = table.AppendNumber(shape, len(a.ResourceTypes))
	for _, t := range a.ResourceTypes {
		index, ok := b.types[strings.ToLower(t.Name)]
		if !ok {
			return nil, fmt.Errorf("resource type %s is not declared", t.Name)
		}
		index *= 2
		if t.Required {
			index++
		}
		if keys, err = b.keySet(t.ConditionKeys); err != nil {
			return nil, err
		}
		shape = table.AppendNumber(shape, index)
		shape = table.AppendNumber(shape, keys)
		shape = table.AppendNumber(shape, b.actionSet(ofType[t.Name]))
	}
	return table.AppendNumber(nil, b.shapes.add(shape)), nil
}

// keySet returns the index of a set of condition keys.
func (b *builder) keySet(names []string) (int, error) {
	var set []int
	for _, name := range names {
		i, ok := b.keys[strings.ToLower(name)]
		if !ok {
			return 0, fmt.Errorf("condition key %s is not declared", name)
		}
		set = append(set, i)
	}
	slices.Sort(set)
	if len(set) > table.MaxSet {
		return 0, fmt.Errorf("%d condition keys: the format allows %d", len(set), table.MaxSet)
	}
	return b.keySets.add(setRecord(slices.Compact(set))), nil
}

// actionSet returns the index of a set of dependent actions.
func (b *builder) actionSet(names []string) int {
	var set []int
	for _, name := range slices.Compact(slices.Sorted(slices.Values(names))) {
		set = append(set, b.dependents.add([]byte(name)))
	}
	return b.actionSets.add(setRecord(set))
}

func setRecord(set []int) []byte {
	record := table.AppendNumber(nil, len(set))
	for _, i := range set {
		record = table.AppendNumber(record, i)
	}
	return record
}
