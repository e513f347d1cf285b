package request

// SendsEndpointKey reports whether calls to a service, given by its prefix such as
// "s3", that come through a VPC endpoint carry a key about the endpoint. Some keys
// are sent by the services of a list alone (AWS page "AWS global condition context
// keys").
func SendsEndpointKey(service, key string) bool {
	switch lower(key) {
	case "aws:sourcevpcarn":
		return sourceVPCARN[service]
	case "aws:vpceaccount", "aws:vpceorgpaths":
		return vpceAccount[service]
	case "aws:vpceorgid":
		return vpceOrgID[service]
	default:
		return true
	}
}
