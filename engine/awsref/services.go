package awsref

import (
	"fmt"
	"iter"
	"strings"

	"github.com/tfguard/tfguard/engine/awsref/internal/table"
)

// A Service is an AWS service as its prefix names it. Its methods read the data at
// each call: who asks for the same again and again keeps the answer.
type Service struct {
	// Prefix is what stands before the colon in the names of its actions, such as "s3".
	Prefix string
	// Name is such as "Amazon S3".
	Name string
	// RCP says that resource control policies apply to it.
	RCP bool

	stem                              string // of ARN patterns
	dependents                        table.Table
	keySets, actionSets               table.Table
	keys, resourceTypes, shapes, list table.Table // list are the actions
}

// An Action is what is known of an action. Its slices are the caller's.
type Action struct {
	// Name has no prefix, such as "GetObject".
	Name string
	// AccessLevels has one or more.
	AccessLevels []AccessLevel
	// ResourceTypes are those whose ARNs a policy may name as Resource for this action.
	// If there are none, only the resource * matches.
	ResourceTypes []ResourceUse
	// ConditionKeys are those that a request may have whatever its resource is. There are
	// more for each resource type.
	ConditionKeys []string
	// DependentActions are those, such as "iam:PassRole", that who calls this one may
	// need as well: the union of what AWS lists for the action and for its resource types.
	DependentActions []string
}

// A ResourceUse is how an action uses a resource type.
type ResourceUse struct {
	// Name is one that [Service.ResourceType] knows.
	Name string
	// Required is AWS's mark for a resource that every call has. That it is not set
	// does not mean that a call may do without any: s3:GetObject lists object and
	// accesspointobject, neither of them required, as a call is for one or the other.
	Required bool
	// ConditionKeys are those that a request has for a resource of this type.
	ConditionKeys []string
	// DependentActions are those of AWS's row for this resource type.
	DependentActions []string
}

// A ResourceType is a type of resources.
type ResourceType struct {
	// Name is such as "bucket".
	Name string
	// ARNs are the patterns of its ARNs, with placeholders such as ${Partition}:
	// "arn:${Partition}:s3:::${BucketName}". Most types have one, some of API Gateway two.
	ARNs []string
	// ConditionKeys are those that a request may have for a resource of this type.
	ConditionKeys []string
}

// A ConditionKey is a condition key or, where a part of the name stands for any text, a
// family of keys, such as "aws:RequestTag/${TagKey}" or "s3:ExistingObjectTag/<key>".
type ConditionKey struct {
	Name string
	Type KeyType
}

// A ServicePrincipal is a principal that stands for an AWS service.
type ServicePrincipal struct {
	// Name is such as "lambda.amazonaws.com", or a pattern with a placeholder such as
	// "codedeploy.${aws:region}.amazonaws.com".
	Name string
	// Confirmed says that the principal is in use, in a policy of AWS or elsewhere. One
	// that is not was guessed from the prefix of a service.
	Confirmed bool
	// CalledVia says that it is known as a value of aws:CalledVia. That it is not set
	// does not mean that it is none.
	CalledVia bool
}

// An AccessLevel is AWS's classification of an action.
type AccessLevel string

// The access levels. An action that is Tagging or PermissionsManagement is Write too.
const (
	List                  AccessLevel = "List"
	Read                  AccessLevel = "Read"
	Write                 AccessLevel = "Write"
	PermissionsManagement AccessLevel = "Permissions management"
	Tagging               AccessLevel = "Tagging"
)

// A KeyType is the type of the values of a condition key.
type KeyType string

// The types of condition keys. Keys of the ArrayOf types are multivalued.
const (
	String        KeyType = "String"
	ArrayOfString KeyType = "ArrayOfString"
	ARN           KeyType = "ARN"
	ArrayOfARN    KeyType = "ArrayOfARN"
	Bool          KeyType = "Bool"
	ArrayOfBool   KeyType = "ArrayOfBool"
	Numeric       KeyType = "Numeric"
	Date          KeyType = "Date"
	IPAddress     KeyType = "IPAddress"
)

// Multivalued reports whether a request may have several values of the key.
func (t KeyType) Multivalued() bool { return strings.HasPrefix(string(t), "ArrayOf") }

// LookupService returns a service by its prefix, such as "s3", and whether it is known.
func LookupService(prefix string) (Service, bool) {
	c, err := openCatalog(servicesFile)
	if err != nil {
		return Service{}, false
	}
	s, ok, err := c.service(prefix)
	return s, ok && err == nil
}

// Services returns all services in the order of their prefixes.
func Services() iter.Seq[Service] {
	return func(yield func(Service) bool) {
		if c, err := openCatalog(servicesFile); err == nil {
			each(c.services, readService)(yield)
		}
	}
}

// LookupAction returns an action by its name with prefix, such as "s3:GetObject", and
// whether it is known. The name of the action that it returns has no prefix.
func LookupAction(name string) (Action, bool) {
	prefix, name, ok := strings.Cut(name, ":")
	if !ok {
		return Action{}, false
	}
	s, ok := LookupService(prefix)
	if !ok {
		return Action{}, false
	}
	return s.Action(name)
}

// LookupConditionKey returns a condition key of any service by its name, such as
// "s3:prefix" or "kms:EncryptionContext:team", and whether it is known. It does not know
// the global keys, whose names begin with "aws:", nor most keys of OpenID Connect, whose
// names begin with the identity provider's: not even those of GitHub named sub and aud.
func LookupConditionKey(name string) (ConditionKey, bool) {
	c, err := openCatalog(servicesFile)
	if err != nil {
		return ConditionKey{}, false
	}
	key, ok, err := c.conditionKey(name)
	return key, ok && err == nil
}

// LookupServicePrincipal returns a service principal by its name, such as
// "lambda.amazonaws.com", and whether it is known.
func LookupServicePrincipal(name string) (ServicePrincipal, bool) {
	c, err := openCatalog(servicesFile)
	if err != nil {
		return ServicePrincipal{}, false
	}
	p, ok, err := c.principal(name)
	return p, ok && err == nil
}

// ServicePrincipals returns all service principals in the order of their names.
func ServicePrincipals() iter.Seq[ServicePrincipal] {
	return func(yield func(ServicePrincipal) bool) {
		if c, err := openCatalog(servicesFile); err == nil {
			each(c.principals, readPrincipal)(yield)
		}
	}
}

// RCPService reports whether resource control policies apply to the service with a
// prefix, as of [RCPServicesDate].
func RCPService(prefix string) bool {
	s, ok := LookupService(prefix)
	return ok && s.RCP
}

// Action returns an action by its name without prefix, such as "GetObject", and whether
// it is known.
func (s Service) Action(name string) (Action, bool) {
	a, ok, err := lookup(s.list, name, s.readAction)
	return a, ok && err == nil
}

// Actions returns all actions of the service in the order of their names.
func (s Service) Actions() iter.Seq[Action] { return each(s.list, s.readAction) }

// ActionNames returns the names of all actions of the service, in order. It reads
// nothing else of them, so it is the way to see what a pattern matches.
func (s Service) ActionNames() iter.Seq[string] { return each(s.list, readName) }

// ResourceType returns a resource type by its name, such as "bucket", and whether it is
// known.
func (s Service) ResourceType(name string) (ResourceType, bool) {
	t, ok, err := lookup(s.resourceTypes, name, s.readResourceType)
	return t, ok && err == nil
}

// ResourceTypes returns all resource types of the service in the order of their names.
func (s Service) ResourceTypes() iter.Seq[ResourceType] {
	return each(s.resourceTypes, s.readResourceType)
}

// ConditionKey returns a condition key that the service lists, and whether there is
// one. A family of keys is found by the name of any of its keys too, as
// "aws:RequestTag/${TagKey}" is by "aws:RequestTag/team".
func (s Service) ConditionKey(name string) (ConditionKey, bool) {
	key, ok, err := lookupTemplate(s.keys, name, readKey)
	return key, ok && err == nil
}

// ConditionKeys returns all condition keys that the service lists, in the order of their
// names. Keys of other services and three global ones are among them.
func (s Service) ConditionKeys() iter.Seq[ConditionKey] { return each(s.keys, readKey) }

// catalog is an opened services.bin.
type catalog struct{ services, foreignKeys, principals table.Table }

func openCatalog(file string) (catalog, error) {
	r := table.NewReader(file)
	r.Literal(table.ServicesHeading)
	c := catalog{services: r.Table(), foreignKeys: r.Table(), principals: r.Table()}
	return c, r.End()
}

func (c catalog) service(prefix string) (Service, bool, error) {
	return lookup(c.services, prefix, readService)
}

func readService(prefix string, r table.Reader) (Service, error) {
	s := Service{Prefix: prefix, Name: r.Text()}
	s.RCP = r.Number()&table.ResourceControl != 0
	s.stem = r.Text()
	s.dependents, s.keySets, s.actionSets = r.Table(), r.Table(), r.Table()
	s.keys, s.resourceTypes, s.shapes, s.list = r.Table(), r.Table(), r.Table(), r.Table()
	return s, r.End()
}

func (s Service) readAction(name string, r table.Reader) (Action, error) {
	shape := r.Number()
	if err := r.End(); err != nil {
		return Action{}, err
	}
	r, err := s.shapes.At(shape)
	if err != nil {
		return Action{}, err
	}
	a := Action{Name: name}
	levels := r.Number()
	for i, level := range table.AccessLevels {
		if levels&(1<<i) != 0 {
			a.AccessLevels = append(a.AccessLevels, AccessLevel(level))
		}
	}
	if levels>>len(table.AccessLevels) != 0 {
		return Action{}, fmt.Errorf("%w: access levels of %s", table.ErrDamaged, name)
	}
	if a.ConditionKeys, err = s.keySet(r.Number()); err != nil {
		return Action{}, err
	}
	if a.DependentActions, err = s.actionSet(r.Number()); err != nil {
		return Action{}, err
	}
	if n := r.Count(table.MaxResourceTypes); n > 0 {
		a.ResourceTypes = make([]ResourceUse, n)
	}
	for i := range a.ResourceTypes {
		use := &a.ResourceTypes[i]
		index := r.Number()
		use.Required = index&1 != 0
		if use.Name, _, err = s.resourceTypes.Key(index >> 1); err != nil {
			return Action{}, err
		}
		if use.ConditionKeys, err = s.keySet(r.Number()); err != nil {
			return Action{}, err
		}
		if use.DependentActions, err = s.actionSet(r.Number()); err != nil {
			return Action{}, err
		}
	}
	return a, r.End()
}

func (s Service) readResourceType(name string, r table.Reader) (t ResourceType, err error) {
	t = ResourceType{Name: name, ARNs: make([]string, r.Count(table.MaxSet))}
	for i := range t.ARNs {
		withStem := r.Number() != 0
		if t.ARNs[i] = r.Text(); withStem {
			t.ARNs[i] = s.stem + t.ARNs[i]
		}
	}
	if t.ConditionKeys, err = s.keySet(r.Number()); err != nil {
		return ResourceType{}, err
	}
	return t, r.End()
}

// keySet returns a set of condition keys, nil if it is empty.
func (s Service) keySet(i int) ([]string, error) {
	return readSet(s.keySets, i, func(k int) (string, error) {
		name, _, err := s.keys.Key(k)
		return name, err
	})
}

// actionSet returns a set of dependent actions, nil if it is empty.
func (s Service) actionSet(i int) ([]string, error) {
	return readSet(s.actionSets, i, func(k int) (string, error) {
		r, err := s.dependents.At(k)
		return r.Rest(), err
	})
}

func readSet(sets table.Table, i int, name func(int) (string, error)) ([]string, error) {
	r, err := sets.At(i)
	if err != nil {
		return nil, err
	}
	n := r.Count(table.MaxSet)
	if n == 0 {
		return nil, r.End()
	}
	set := make([]string, n)
	for i := range set {
		if set[i], err = name(r.Number()); err != nil {
			return nil, err
		}
	}
	return set, r.End()
}

// conditionKey looks for a key where it belongs, and then among those that services
// list for others.
func (c catalog) conditionKey(name string) (ConditionKey, bool, error) {
	prefix, _, _ := strings.Cut(name, ":")
	s, ok, err := c.service(prefix)
	if err != nil {
		return ConditionKey{}, false, err
	}
	if ok {
		if key, ok, err := lookupTemplate(s.keys, name, readKey); ok || err != nil {
			return key, ok, err
		}
	}
	return lookupTemplate(c.foreignKeys, name, readKey)
}

func readKey(name string, r table.Reader) (ConditionKey, error) {
	of := r.Number()
	if err := r.End(); err != nil {
		return ConditionKey{}, err
	}
	if of >= len(table.KeyTypes) {
		return ConditionKey{}, fmt.Errorf("%w: type of %s", table.ErrDamaged, name)
	}
	return ConditionKey{Name: name, Type: KeyType(table.KeyTypes[of])}, nil
}

func (c catalog) principal(name string) (ServicePrincipal, bool, error) {
	return lookupTemplate(c.principals, name, readPrincipal)
}

func readPrincipal(name string, r table.Reader) (ServicePrincipal, error) {
	flags := r.Number()
	p := ServicePrincipal{
		Name:      name,
		Confirmed: flags&table.Confirmed != 0,
		CalledVia: flags&table.CalledVia != 0,
	}
	return p, r.End()
}

func readName(name string, _ table.Reader) (string, error) { return name, nil }

// each returns what read makes of the records of a keyed table, up to the first that
// is damaged.
func each[T any](list table.Table, read func(string, table.Reader) (T, error)) iter.Seq[T] {
	return func(yield func(T) bool) {
		for i := range list.Len() {
			key, r, err := list.Key(i)
			if err != nil {
				return
			}
			if v, err := read(key, r); err != nil || !yield(v) {
				return
			}
		}
	}
}

// lookup returns what read makes of the record with a key.
func lookup[T any](list table.Table, key string, read func(string, table.Reader) (T, error)) (v T, ok bool, err error) {
	found, r, ok, err := list.Find(key)
	if err != nil || !ok {
		return v, false, err
	}
	v, err = read(found, r)
	return v, err == nil, err
}

// lookupTemplate is lookup, and if there is no such key, it takes of the keys that are
// templates of it the one with most text of its own.
func lookupTemplate[T any](list table.Table, key string, read func(string, table.Reader) (T, error)) (v T, ok bool, err error) {
	if v, ok, err = lookup(list, key, read); ok || err != nil {
		return v, ok, err
	}
	best, at := -1, -1
	for i := range list.Len() {
		template, _, err := list.Key(i)
		if err != nil {
			return v, false, err
		}
		if isTemplateOf(template, key) {
			if n := literal(template); n > best {
				best, at = n, i
			}
		}
	}
	if at < 0 {
		return v, false, nil
	}
	template, r, err := list.Key(at)
	if err != nil {
		return v, false, err
	}
	v, err = read(template, r)
	return v, err == nil, err
}

// literal returns the length of a template without its placeholders.
func literal(template string) int {
	n := 0
	for {
		start, end := placeholder(template)
		if start < 0 {
			return n + len(template)
		}
		n += start
		template = template[end:]
	}
}

// isTemplateOf reports whether a template has placeholders and makes a name with some
// text, and not none, for each of them.
func isTemplateOf(template, name string) bool {
	start, end := placeholder(template)
	if start < 0 || len(name) <= start || table.Compare(template[:start], name[:start]) != 0 {
		return false
	}
	for {
		name, template = name[start+1:], template[end:]
		if start, end = placeholder(template); start < 0 {
			// The last placeholder: what is after it is at the end.
			rest := len(name) - len(template)
			return rest >= 0 && table.Compare(template, name[rest:]) == 0
		}
		// What is before the next placeholder is as early as it can be.
		for table.Compare(template[:start], name[:min(start, len(name))]) != 0 {
			if len(name) <= start {
				return false
			}
			name = name[1:]
		}
		if len(name) <= start {
			return false
		}
	}
}

// placeholder returns where the first placeholder of a template is, and -1 if there is
// none. Most are written as ${Name}, some of S3 as <name>, and some families of tags
// have no mark: their names end in "/tag-key", or just in "/".
func placeholder(template string) (start, end int) {
	start = strings.IndexAny(template, "$<")
	if start < 0 {
		const unmarked = "/tag-key"
		switch {
		case strings.HasSuffix(template, unmarked):
			return len(template) - len(unmarked) + 1, len(template)
		case strings.HasSuffix(template, "/"):
			return len(template), len(template)
		}
		return -1, -1
	}
	closing := byte('>')
	if template[start] == '$' {
		closing = '}'
	}
	n := strings.IndexByte(template[start:], closing)
	if n < 0 {
		return -1, -1
	}
	return start, start + n + 1
}
