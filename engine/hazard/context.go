package hazard

import (
	"slices"
	"strings"
	"sync"

	"github.com/tfguard/tfguard/engine/kleene"
	"github.com/tfguard/tfguard/engine/request"
	"github.com/tfguard/tfguard/engine/symbol"
)

// The request contexts that patterns are held against: of a caller no policy names,
// with symbols for what differs from call to call.
var (
	// throughService is a call that a service makes with the caller's session.
	throughService = func() request.Context {
		ctx := sessionContext()
		ctx.SetString("aws:ViaAWSService", "true")
		ctx.Set("aws:CalledVia", some("service"))
		ctx.Set("aws:CalledViaFirst", some("service"))
		ctx.Set("aws:CalledViaLast", some("service"))
		return ctx
	}()
	// inOwnName is a call that a service makes in its own name.
	inOwnName = func() request.Context {
		var ctx request.Context
		ctx.SetString("aws:PrincipalIsAWSService", "true")
		ctx.SetString("aws:ViaAWSService", "false")
		ctx.SetString("aws:SecureTransport", "true")
		ctx.Set("aws:PrincipalServiceName", some("service"))
		ctx.Set("aws:PrincipalServiceNamesList", some("service"))
		ctx.SetMaybe("aws:SourceArn", some("source"))
		ctx.SetMaybe("aws:SourceAccount", some("account"))
		ctx.SetMaybe("aws:SourceOrgID", some("organization"))
		return ctx
	}()
	// forNobody is such a call that is not made for anybody.
	forNobody = func() request.Context {
		ctx := inOwnName.Clone()
		for _, key := range sourceKeys[:4] {
			ctx.Delete(key)
		}
		return ctx
	}()
	// direct is a call that somebody makes from the Internet.
	direct = func() request.Context {
		ctx := sessionContext()
		ctx.SetString("aws:ViaAWSService", "false")
		return ctx
	}()
	// identityProvider is what a user of an identity provider sends to assume a role.
	identityProvider = func() request.Context {
		var ctx request.Context
		ctx.SetMaybe("aws:PrincipalIsAWSService", symbol.Literal("false"))
		ctx.SetString("aws:ViaAWSService", "false")
		ctx.SetString("aws:SecureTransport", "true")
		ctx.Set("aws:SourceIp", some("address"))
		return ctx
	}()
)

func sessionContext() request.Context {
	var ctx request.Context
	ctx.Set("aws:PrincipalArn", symbol.Concat(symbol.Literal("arn:aws:iam::"), some("account"), symbol.Literal(":role/"), some("role")))
	ctx.Set("aws:PrincipalAccount", some("account"))
	ctx.Set("aws:PrincipalOrgID", some("organization"))
	ctx.SetString("aws:PrincipalType", "AssumedRole")
	ctx.SetString("aws:PrincipalIsAWSService", "false")
	ctx.SetString("aws:SecureTransport", "true")
	ctx.Set("aws:SourceIp", some("address"))
	return ctx
}

func some(what string) symbol.Text {
	return symbol.Symbol{Name: "hazard." + what, Class: symbol.Segment, Unique: true}.Text()
}

// infrastructure is EC2 as it decrypts the volumes of instances: a role of the
// account that calls from AWS's network.
var infrastructure = func() request.Context {
	ctx := direct.Clone()
	ctx.Set("aws:PrincipalArn", symbol.Concat(symbol.Literal("arn:aws:iam::"), some("account"), symbol.Literal(":role/aws:ec2-infrastructure")))
	return ctx
}()

// situations are the contexts of every way to call that AWS documents, with values that
// may be anything where they differ from call to call.
var situations = sync.OnceValue(func() []request.Context {
	unsure := request.Organization{Member: kleene.Unknown, ID: anything}
	session := func(kind request.PrincipalKind, as request.Session) *request.Caller {
		return &request.Caller{
			Principal:    request.Principal{Kind: kind, ARN: anything, Session: anything, Account: anything},
			Organization: unsure, Session: as,
		}
	}
	var out []request.Context
	for _, caller := range []*request.Caller{
		session(request.IAMUser, request.Plain), session(request.RoleSession, request.Plain), session(request.RoleSession, request.OIDC),
		session(request.FederatedUser, request.Plain), session(request.Root, request.Plain),
		session(request.FederatedIdentity, request.Plain), session(request.Anonymous, request.Plain),
	} {
		for _, network := range []request.Network{
			{SourceIP: anything},
			{Endpoint: anything, VPC: anything, VPCSourceIP: anything, EndpointAccount: anything, EndpointOrganization: unsure},
		} {
			hop := request.Hop{Network: network, Service: "s3"}
			out = append(out, request.Derive(caller, &hop))
			if caller.Principal.Entity() {
				hop.Via = []string{"any"}
				out = append(out, request.Derive(caller, &hop))
			}
		}
	}
	service := session(request.ServicePrincipal, request.Plain)
	service.Principal.Service, service.Source, service.SourceAccount = "any", anything, anything
	out = append(out, request.Derive(service, &request.Hop{Service: "s3"}))
	for i := range out {
		for entry := range out[i].Clone().All() {
			switch {
			case entry.Present == kleene.Unknown:
				out[i].SetMaybe(entry.Key, anything)
			case slices.Contains(varying, strings.ToLower(entry.Key)):
				out[i].Set(entry.Key, anything)
			}
		}
	}
	return out
})

// varying are the keys whose value names a service.
var varying = append([]string{"aws:principalservicename", "aws:principalservicenameslist"}, calledViaKeys...)

// anything is a text of which nothing is known.
var anything = symbol.Symbol{Name: "hazard.anything"}.Text()
