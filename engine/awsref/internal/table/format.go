package table

// # services.bin
//
// The heading, then three keyed tables.
//
// Services, by their prefix: name, flags, the stem of ARN patterns, and
//   - dependent actions: a table of strings
//   - key sets: a table; each is a count and as many indexes of condition keys
//   - action sets: a table; each is a count and as many indexes of dependent actions
//   - condition keys, a keyed table by name: the type, an index of [KeyTypes]
//   - resource types, a keyed table by name: a count and as many ARN patterns, each a
//     number, 1 if the stem goes before it, and a string; the key set
//   - shapes: a table; each is what there is to say of an action except its name: the
//     access levels, as bits of [AccessLevels]; the key set and the action set; a count
//     and as many resource types, each its index, times two, plus one if it is
//     required, and its own key set and action set
//   - actions, a keyed table by name: the shape
//
// Sets and shapes repeat so often that each is there once.
//
// Foreign condition keys, by name: type. They are those that only services declare
// whose prefix is another than the key's, and no global ones.
//
// Service principals, by name: flags.
//
// # policies.bin
//
// The heading; the dictionary, a string; and a keyed table by the name of a policy: its
// path, the length of its document, and the document in deflate with the dictionary.

// What files begin with.
const (
	ServicesHeading = "tfguard services 1\n\x00"
	PoliciesHeading = "tfguard managed policies 1\n\x00"
)

// The most that a list may have.
const (
	MaxSet           = 1024 // names in a set, ARN patterns of a resource type
	MaxResourceTypes = 256  // resource types of an action
)

// ResourceControl is the flag of a service that resource control policies apply to.
const ResourceControl = 1

// The flags of a service principal.
const (
	Confirmed = 1 << iota // seen in use, not only derived from the prefix of a service
	CalledVia             // a value of aws:CalledVia
)

// AccessLevels are the access levels, KeyTypes the types of condition keys, both as
// AWS spells them.
var (
	AccessLevels = [...]string{"List", "Read", "Write", "Permissions management", "Tagging"}
	KeyTypes     = [...]string{
		"String", "ArrayOfString", "ARN", "ArrayOfARN", "Bool", "ArrayOfBool", "Numeric", "Date", "IPAddress",
	}
)
