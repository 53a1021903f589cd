"""Which API and which resource a request is for: hosts, versions, methods, upgrades and preflights."""

import pytest
from support.catalogs import api, contents, request

from extauthz.catalog.catalog import Catalog
from extauthz.catalog.resource_match import resource_match
from extauthz.model.errors import Denied, Reason

ORIGIN = "https://app.example.com"
CORS = {"origins": [ORIGIN, "https://other.example.com"]}
UPGRADE = {"upgrade": "websocket"}


def catalog(*apis):
    return Catalog(contents(apis=list(apis), subscriptions=[]))


def located(known, *arguments, **settings):
    """Id of the API, and what is left of the path."""
    found = known.locate(request(*arguments, **settings))
    return found.indexed.api.id, found.below


def nowhere(known, *arguments, **settings):
    with pytest.raises(Denied) as denied:
        known.locate(request(*arguments, **settings))
    return denied.value.reason is Reason.NO_MATCHING_API


def match(resources, path="/chat", *, cors=None, **settings):
    known = catalog(api(context="/", resources=resources, cors=cors))
    asked = request(path, **settings)
    return resource_match(asked, known.locate(asked))


def methods_instead(resources, path="/chat", **settings):
    """What `Allow` names."""
    with pytest.raises(Denied) as denied:
        match(resources, path, **settings)
    assert denied.value.reason is Reason.METHOD_NOT_ALLOWED
    return denied.value.methods


def resource(template, *methods, **settings):
    return {"template": template, "methods": list(methods), **settings}


class TestLocate:
    """Host, then the longest base path; or the API that the route names."""

    def test_an_api_answers_at_each_of_its_hosts(self):
        known = catalog(api(hosts=["a.example.com", "b.example.com", "*.shop.example"]))
        for host in ("a.example.com", "B.example.com:8443", "x.shop.example", "x.y.shop.example"):
            assert located(known, host=host) == ("petstore", ("pets",))
        for host in ("c.example.com", "shop.example", "a.example.com.evil.example", ""):
            assert nowhere(known, host=host)

    @pytest.mark.parametrize(
        "host", ["a.example.com", "A.Example.COM", "a.example.com:443", "a.example.com.", "a.example.com.:443"]
    )
    def test_port_case_and_the_dot_of_the_root_mean_nothing(self, host):
        assert located(catalog(api(hosts=["a.example.com"])), host=host)[0] == "petstore"
        assert located(catalog(api(hosts=["*.example.com"])), host=host)[0] == "petstore"

    @pytest.mark.parametrize(
        "host", ["[2001:db8::1]:443", "[2001:db8::1]", "localhost", "localhost:80", ".", ":", "[", ""]
    )
    def test_any_host_is_one_without_a_name_too(self, host):
        assert located(catalog(api()), host=host)[0] == "petstore"
        assert nowhere(catalog(api(hosts=["*.example.com"])), host=host)

    def test_the_longest_pattern_of_a_host_wins(self):
        known = catalog(*(
            api(id=f"labels{host.count('.')}", hosts=[host]) for host in ("*.com", "*.b.example.com", "*.example.com")
        ))  # fmt: skip
        assert located(known, host="a.b.example.com")[0] == "labels3"
        assert located(known, host="b.example.com")[0] == "labels2"
        assert located(known, host="example.com")[0] == "labels1"

    def test_the_host_decides_before_the_length_of_the_base_path(self):
        known = catalog(api(id="short", context="/petstore", hosts=["api.example.com"]), api(id="long"))
        assert located(known) == ("short", ("v1", "pets"))
        assert located(known, host="other.example.com") == ("long", ("pets",))

    def test_a_host_whose_apis_do_not_have_the_path_leaves_it_to_the_wider_one(self):
        known = catalog(api(id="exact", context="/other", hosts=["api.example.com"]), api(id="any"))
        assert located(known) == ("any", ("pets",))

    def test_the_version_stands_in_the_context(self):
        first, second = (
            api(id=version, version=version, context="/petstore/{version}", default_version=version == "v2")
            for version in ("v1", "v2")
        )
        known = catalog(first, second)
        assert located(known, "/petstore/v1/pets") == ("v1", ("pets",))
        assert located(known, "/petstore/v2/pets") == ("v2", ("pets",))

    def test_without_a_version_the_default_one_answers(self):
        known = catalog(*(
            api(id=version, version=version, context="/{version}/petstore", default_version=version == "v2")
            for version in ("v1", "v2")
        ))  # fmt: skip
        assert located(known, "/petstore/pets") == ("v2", ("pets",))
        assert located(known, "/v1/petstore/pets") == ("v1", ("pets",))
        assert nowhere(known, "/v3/petstore/pets")

    def test_without_a_default_version_nobody_answers(self):
        known = catalog(api(version="v1", context="/petstore/{version}"))
        assert nowhere(known, "/petstore/pets")

    def test_a_version_that_is_asked_for_is_never_taken_for_a_path_of_the_default_one(self):
        known = catalog(api(version="v1", context="/petstore/{version}", default_version=True))
        assert located(known, "/petstore/v1/pets") == ("petstore", ("pets",))
        assert located(known, "/petstore/v1") == ("petstore", ("",))
        assert located(known, "/petstore/v2/pets") == ("petstore", ("v2", "pets"))

    def test_a_route_may_name_the_api_at_both_of_its_base_paths(self):
        known = catalog(api(version="v1", context="/petstore/{version}", default_version=True, hosts=["elsewhere"]))
        assert located(known, "/petstore/pets", api_id="petstore") == ("petstore", ("pets",))
        assert located(known, "/petstore/v1/pets", api_id="petstore") == ("petstore", ("pets",))
        assert nowhere(known, "/pets", api_id="petstore")
        assert nowhere(known, "/petstore/v1/pets", api_id="")

    def test_the_longest_base_path_wins_at_any_depth(self):
        contexts = ["/", "/a", "/a/b/c"]
        known = catalog(*(api(id=f"depth{len(context)}", context=context) for context in contexts))
        assert located(known, "/a/b/c/d") == ("depth6", ("d",))
        assert located(known, "/a/b/d") == ("depth2", ("b", "d"))
        assert located(known, "/ab") == ("depth1", ("ab",))

    @pytest.mark.parametrize(
        "path",
        ["/petstore/v1/%2e%2e/pets", "/petstore/v1/../v1/pets", "/petstore//v1/pets", "/petstore%2fv1/pets",
         "/petstore/v1/pets;a=b", "/petstore/v1/pets%00", "/petstore/v1/pets%5c", "/petstore/v1/%ff"],
    )  # fmt: skip
    def test_a_path_with_two_readings_is_nobodys(self, path):
        """Issue 8 of envoy-wire: CVE-2019-9901 and its heirs."""
        assert nowhere(catalog(api()), path)
        assert nowhere(catalog(api()), path, api_id="petstore")


class TestWebSocket:
    """The pseudo-method WEBSOCKET stands for a GET that asks for the upgrade."""

    CHAT = resource("/chat", "WEBSOCKET")

    @pytest.mark.parametrize("upgrade", ["websocket", "WebSocket", "h2c, websocket", " websocket ", "websocket/13"])
    def test_an_upgrade_is_answered_by_the_resource_that_has_it(self, upgrade):
        assert match([self.CHAT], headers={"upgrade": upgrade}).resource.methods == {"WEBSOCKET"}

    @pytest.mark.parametrize("upgrade", ["", "h2c", "websockets", "web socket", "x-websocket", "/websocket"])
    def test_a_get_without_an_upgrade_is_not(self, upgrade):
        assert methods_instead([self.CHAT], headers={"upgrade": upgrade}) == {"GET"}

    @pytest.mark.parametrize("method", ["WEBSOCKET", "POST", "get", "websocket"])
    def test_another_method_is_not_even_with_the_words_of_an_upgrade(self, method):
        """The name of the pseudo-method is a valid method on the wire."""
        assert methods_instead([self.CHAT], method=method, headers=UPGRADE) == {"GET"}
        assert methods_instead([resource("/chat", "GET", "WEBSOCKET")], method=method) == {"GET"}

    def test_without_such_a_resource_an_upgrade_is_a_get_like_any_other(self):
        assert match([resource("/chat", "GET")], headers=UPGRADE).resource.methods == {"GET"}
        assert methods_instead([resource("/chat", "POST")], headers=UPGRADE) == {"POST"}

    @pytest.mark.parametrize("turned", [False, True])
    def test_upgrades_and_other_gets_may_have_resources_of_their_own(self, turned):
        both = [resource("/{room}", "GET", scopes=["read"]), resource("/{chat}", "WEBSOCKET", scopes=["talk"])]
        resources = both[::-1] if turned else both
        assert match(resources, headers=UPGRADE).resource.scopes == {"talk"}
        assert match(resources).resource.scopes == {"read"}

    def test_an_upgrade_is_not_looked_for_in_a_wider_template(self):
        assert methods_instead([resource("/chat", "POST"), resource("/*", "WEBSOCKET")], headers=UPGRADE) == {"POST"}


class TestPreflight:
    """A browser's question passes without a credential; nothing else does that looks like one."""

    PETS = resource("/chat", "PUT", "WEBSOCKET")

    def ask(self, *resources, cors=CORS, origin=ORIGIN, method="PUT", **more):
        headers = {"origin": origin, "access-control-request-method": method} | more
        given = {name: value for name, value in headers.items() if value is not None}
        return match(list(resources or [self.PETS]), method="OPTIONS", headers=given, cors=cors)

    def refused(self, *resources, **changes):
        with pytest.raises(Denied) as denied:
            self.ask(*resources, **changes)
        return denied.value.reason

    def test_the_asked_method_is_that_of_a_resource(self):
        both = [resource("/chat", "GET", scopes=["read"]), resource("/chat", "PUT", scopes=["write"])]
        found = self.ask(*both)
        assert found.preflight
        assert found.resource.scopes == {"write"}

    def test_a_resource_that_answers_options_itself_answers_for_every_method(self):
        assert self.ask(resource("/chat", "OPTIONS"), method="X-OWN").preflight

    def test_any_origin_may_ask_where_the_api_says_so(self):
        for origin in ("https://anybody.example", "http://localhost:3000", "null"):
            assert self.ask(cors={"origins": ["*"]}, origin=origin).preflight

    @pytest.mark.parametrize(
        "changes",
        [
            {"cors": None},
            {"origin": None},
            {"origin": ""},
            {"origin": "null"},
            {"origin": "https://evil.example"},
            {"origin": "https://app.example.com.evil.example"},
            {"origin": "HTTPS://APP.EXAMPLE.COM"},
            {"origin": "https://app.example.com:8443"},
            {"origin": "https://app.example.com,https://other.example.com"},
            {"cors": {"origins": ["*"]}, "origin": "https://a.example,https://b.example"},
            {"cors": {"origins": ["*"]}, "origin": "anything"},
            {"method": None},
            {"method": ""},
            {"method": "WEBSOCKET"},
            {"authorization": "Bearer token"},
        ],
        ids=str,
    )
    def test_what_only_looks_like_a_preflight_is_a_request(self, changes):
        assert self.refused(**changes) is Reason.METHOD_NOT_ALLOWED
        assert not self.ask(resource("/chat", "PUT", "OPTIONS"), **changes).preflight

    @pytest.mark.parametrize("method", ["DELETE", "put", "PUT,PUT", "GET"])
    def test_a_method_that_the_resource_has_not_is_not_worth_a_preflight(self, method):
        assert self.refused(method=method) is Reason.METHOD_NOT_ALLOWED

    def test_another_method_is_no_preflight(self):
        headers = {"origin": ORIGIN, "access-control-request-method": "PUT"}
        assert not match([resource("/chat", "PUT")], method="PUT", headers=headers, cors=CORS).preflight

    def test_options_stays_a_request_where_it_is_no_preflight(self):
        found = match([resource("/chat", "OPTIONS", "PUT", scopes=["read"])], method="OPTIONS", cors=CORS)
        assert not found.preflight
        assert found.resource.scopes == {"read"}

    def test_a_preflight_for_a_path_without_a_template_finds_nothing(self):
        assert self.refused(resource("/other", "PUT")) is Reason.NO_MATCHING_RESOURCE


class TestOtherProtocols:
    """gRPC and GraphQL are requests like any other."""

    def test_a_grpc_method_is_a_path_below_its_service(self):
        calls = [resource("/ListPets", "POST", scopes=["read"]), resource("/{method}", "POST", scopes=["write"])]
        known = catalog(api(context="/pets.v1.PetService", resources=calls))
        for called, scope in (("ListPets", "read"), ("AddPet", "write")):
            asked = request(f"/pets.v1.PetService/{called}", method="POST")
            assert resource_match(asked, known.locate(asked)).resource.scopes == {scope}
        assert nowhere(known, "/pets.v1.PetServiceAdmin/ListPets", method="POST")

    def test_an_api_may_have_several_grpc_services(self):
        services = [resource("/pets.v1.PetService/ListPets", "POST"), resource("/pets.v1.Admin/*", "POST")]
        for path in ("/pets.v1.PetService/ListPets", "/pets.v1.Admin/Drop"):
            assert match(services, path, method="POST").api.context == "/"

    def test_graphql_is_post_to_one_resource(self):
        graphql = [resource("/graphql", "POST", scopes=["query"])]
        assert match(graphql, "/graphql?operation=Pets", method="POST").resource.scopes == {"query"}
        assert methods_instead(graphql, "/graphql?query={pets}") == {"POST"}
