"""The guarded client against real servers on loopback: nothing leads it to where it may not go."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import replace
from ipaddress import ip_address, ip_network
from typing import Any

import pytest
from aiohttp import web
from hypothesis import given, settings
from hypothesis import strategies as st

from node.net.addresses import is_public, literal_address
from node.net.guarded_http import GuardedHttp, NetworkPolicy
from protocols.errors import BadInput, LernodeError, NotNow, WrongState
from tests.net.helpers import LOOPBACK, client, serving, trusting

PUBLIC = NetworkPolicy(timeout_seconds=5)


async def hello(request: web.Request) -> web.Response:
    return web.Response(body=b"hello", headers={"ETag": '"1"', "X-Path": request.path})


async def code_of(call: Any) -> str:
    with pytest.raises(LernodeError) as caught:
        await call
    return caught.value.code


async def test_a_listed_network_can_be_reached_with_plain_http() -> None:
    async with serving(hello) as port, client() as http:
        response = await http.get(f"http://127.0.0.1:{port}/a")
    assert (response.status, response.body, response.headers["etag"]) == (200, b"hello", '"1"')


async def test_post_carries_body_and_media_type() -> None:
    seen: dict[str, Any] = {}

    async def receive(request: web.Request) -> web.Response:
        seen.update(method=request.method, type=request.headers["Content-Type"], body=await request.read())
        return web.Response(status=202)

    async with serving(receive) as port, client() as http:
        response = await http.post(f"http://127.0.0.1:{port}/", b"\x00envelope", "application/didcomm-envelope-enc")
    assert response.status == 202
    assert seen == {"method": "POST", "type": "application/didcomm-envelope-enc", "body": b"\x00envelope"}


@pytest.mark.parametrize("status", [404, 500, 304])
async def test_a_status_is_left_to_the_caller(status: int) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=status)

    async with serving(answer) as port, client() as http:
        assert (await http.get(f"http://127.0.0.1:{port}/")).status == status


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "100.100.100.200",
        "0.0.0.0", "224.0.0.1", "240.0.0.1", "255.255.255.255", "192.0.2.1", "198.18.0.1", "168.63.129.16",
        "[::1]", "[::]", "[fe80::1]", "[fd00:ec2::254]", "[ff02::1]", "[fec0::1]", "[2001:db8::1]", "[3fff::1]",
        "[::ffff:127.0.0.1]", "[::ffff:8.8.8.8]", "[::127.0.0.1]", "[2002:7f00:1::]", "[2001::1]",
        "[64:ff9b::7f00:1]", "[64:ff9b:1::1]",
    ],
)  # fmt: skip
async def test_an_address_that_is_not_public_is_refused(host: str) -> None:
    async with client(PUBLIC) as http:
        assert await code_of(http.get(f"https://{host}/")) == "net.address_forbidden"
        assert await code_of(http.post(f"https://{host}/", b"", "text/plain")) == "net.address_forbidden"


@pytest.mark.parametrize(
    "host",
    ["2130706433", "0177.0.0.1", "0x7f.0.0.1", "0x7f000001", "127.1", "127.0.0.01", "127.0.0.1.", "0x",
     "[fe80::1%25lo]", "1.2.3.4.5", "999"],
)  # fmt: skip
async def test_an_address_in_disguise_is_refused(host: str) -> None:
    async with client(LOOPBACK) as http:
        assert await code_of(http.get(f"http://{host}/")) in {"net.address_unclear", "net.url"}


async def test_full_width_digits_are_the_address_that_they_look_like() -> None:
    async with client(PUBLIC) as http:
        assert await code_of(http.get("https://１２７.０.０.１/")) in {"net.address_forbidden", "net.url"}


@pytest.mark.parametrize("address", ["8.8.8.8", "93.184.216.34", "2606:4700::1111", "64:ff9b::808:808"])
def test_public_addresses_are_public(address: str) -> None:
    assert is_public(ip_address(address))


@given(st.ip_addresses())
def test_private_loopback_and_link_local_are_never_public(address: Any) -> None:
    if address.is_private or address.is_loopback or address.is_link_local or address.is_multicast:
        assert not is_public(address)


@settings(max_examples=200)
@given(st.text(max_size=20) | st.text("0123456789abcdefx.:%[]", max_size=20))
def test_any_host_is_a_name_an_address_or_a_refusal(host: str) -> None:
    try:
        literal = literal_address(host)
    except BadInput as error:
        assert error.code == "net.address_unclear"
        return
    assert literal is None or literal == ip_address(host)


@pytest.mark.parametrize("private", ["10.0.0.1", "127.0.0.1", "169.254.169.254", "::1", "::ffff:10.0.0.1", "fe80::1%2"])
async def test_a_name_that_means_a_private_address_is_refused(private: str) -> None:
    async with client(PUBLIC, {"internal.example": [[private]]}) as http:
        assert await code_of(http.get("https://internal.example/")) == "net.address_forbidden"


async def test_a_name_is_judged_by_the_address_that_is_connected_to() -> None:
    """DNS rebinding: the name means a permitted address first and a forbidden one at the next connection."""
    closing = {"Connection": "close"}

    async def once(_: web.Request) -> web.Response:
        return web.Response(headers=closing)

    policy = replace(LOOPBACK, allowed_networks=(ip_network("127.0.0.1/32"),))
    async with serving(once) as port, client(policy, {"a.example": [["127.0.0.1"], ["127.0.0.2"]]}) as http:
        assert (await http.get(f"http://a.example:{port}/")).status == 200
        assert await code_of(http.get(f"http://a.example:{port}/")) == "net.address_forbidden"


async def test_of_several_addresses_only_permitted_ones_are_tried() -> None:
    async with serving(hello) as port, client(names={"both.example": [["::1", "10.0.0.1", "127.0.0.1"]]}) as http:
        assert (await http.get(f"http://both.example:{port}/")).body == b"hello"


async def test_plain_http_is_for_listed_networks_only() -> None:
    async with client(LOOPBACK, {"public.example": [["93.184.216.34"]]}) as http:
        assert await code_of(http.get("http://public.example/")) == "net.address_forbidden"
        assert await code_of(http.get("http://8.8.8.8/")) == "net.address_forbidden"
    async with client(replace(LOOPBACK, allow_http=False)) as http:
        assert await code_of(http.get("http://127.0.0.1/")) == "net.scheme"


@pytest.mark.parametrize(
    "location",
    ["http://127.0.0.2:{port}/", "http://169.254.169.254/latest/meta-data/", "https://10.0.0.1/", "http://[::1]/",
     "//192.168.0.1/"],
)  # fmt: skip
async def test_a_redirect_to_a_forbidden_address_is_refused(location: str) -> None:
    async def redirect(request: web.Request) -> web.Response:
        return web.Response(status=302, headers={"Location": location.format(port=request.url.port)})

    policy = replace(LOOPBACK, allowed_networks=(ip_network("127.0.0.1/32"),))
    async with serving(redirect) as port, client(policy) as http:
        assert await code_of(http.get(f"http://127.0.0.1:{port}/")) == "net.address_forbidden"


async def test_three_redirects_are_followed_and_a_fourth_is_not() -> None:
    async def count_down(request: web.Request) -> web.Response:
        left = int(request.path[1:])
        return web.Response(status=307, headers={"Location": f"/{left - 1}"}) if left else web.Response(body=b"end")

    async with serving(count_down) as port, client() as http:
        assert (await http.get(f"http://127.0.0.1:{port}/3")).body == b"end"
        assert await code_of(http.get(f"http://127.0.0.1:{port}/4")) == "net.redirects"


async def test_headers_do_not_follow_to_another_origin() -> None:
    async def echo(request: web.Request) -> web.Response:
        return web.Response(text=request.headers.get("If-None-Match", "none"))

    async with serving(echo) as other:

        async def redirect(request: web.Request) -> web.StreamResponse:
            if request.path == "/same":
                return await echo(request)
            target = "/same" if request.path == "/here" else f"http://127.0.0.1:{other}/"
            return web.Response(status=302, headers={"Location": target})

        async with serving(redirect) as port, client() as http:
            for path, expected in (("here", b'"1"'), ("there", b"none")):
                url = f"http://127.0.0.1:{port}/{path}"
                assert (await http.get(url, headers={"If-None-Match": '"1"'})).body == expected


async def test_a_post_is_not_redirected() -> None:
    seen: list[str] = []

    async def redirect(request: web.Request) -> web.Response:
        seen.append(request.path)
        return web.Response(status=307, headers={"Location": "/elsewhere"})

    async with serving(redirect) as port, client() as http:
        assert (await http.post(f"http://127.0.0.1:{port}/", b"x", "text/plain")).status == 307
    assert seen == ["/"]


@pytest.mark.parametrize("location", ["http://127.0.0.1:1/", "ftp://127.0.0.1/", "javascript:1", "http://[::1"])
async def test_a_redirect_never_leaves_https(location: str) -> None:
    async def redirect(_: web.Request) -> web.Response:
        return web.Response(status=301, headers={"Location": location})

    async with serving(redirect, tls=True) as port, client(tls=trusting()) as http:
        assert await code_of(http.get(f"https://127.0.0.1:{port}/")) in {"net.scheme", "net.url"}


async def test_https_needs_a_trusted_certificate_for_the_name() -> None:
    names = {"college.example": [["127.0.0.1"]], "other.example": [["127.0.0.1"]]}
    async with serving(hello, tls=True) as port:
        async with client(names=names, tls=trusting()) as http:
            assert (await http.get(f"https://college.example:{port}/")).body == b"hello"
            assert await code_of(http.get(f"https://other.example:{port}/")) == "net.tls"
        async with client(names=names) as http:
            assert await code_of(http.get(f"https://college.example:{port}/")) == "net.tls"


@pytest.mark.parametrize("chunked", [False, True])
async def test_a_body_over_the_limit_is_given_up(chunked: bool) -> None:
    async def large(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        if chunked:
            response.enable_chunked_encoding()
        else:
            response.content_length = 10_000_000
        await response.prepare(request)
        try:
            for _ in range(1000):
                await response.write(bytes(10_000))
        except ConnectionError:
            pass
        return response

    async with serving(large) as port, client() as http:
        assert await code_of(http.get(f"http://127.0.0.1:{port}/", max_bytes=20_000)) == "net.too_large"
        assert await code_of(http.post(f"http://127.0.0.1:{port}/", b"", "text/plain")) == "net.too_large"


async def test_a_body_of_exactly_the_limit_is_taken() -> None:
    async with serving(hello) as port, client() as http:
        assert (await http.get(f"http://127.0.0.1:{port}/", max_bytes=5)).body == b"hello"
        assert await code_of(http.get(f"http://127.0.0.1:{port}/", max_bytes=4)) == "net.too_large"


async def test_a_body_that_drips_is_cut_off_by_the_time_limit() -> None:
    done = asyncio.Event()

    async def drip(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"{")
        await done.wait()
        return response

    async with serving(drip) as port, client(replace(LOOPBACK, timeout_seconds=0.2)) as http:
        assert await code_of(http.get(f"http://127.0.0.1:{port}/")) == "net.timeout"
        done.set()


async def test_a_server_that_is_away_may_come_back() -> None:
    async with serving(hello) as port:
        pass
    async with client() as http:
        with pytest.raises(NotNow) as caught:
            await http.get(f"http://127.0.0.1:{port}/")
        assert caught.value.code == "net.unreachable"
    async with client(names={}) as http:
        assert await code_of(http.get("https://nowhere.example/")) == "net.unreachable"


async def test_what_is_not_http_is_no_answer() -> None:
    async def garbage(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"\x00\x01garbage\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(garbage, "127.0.0.1", 0)
    async with server, client() as http:
        port = server.sockets[0].getsockname()[1]
        assert await code_of(http.get(f"http://127.0.0.1:{port}/")) == "net.unreachable"


async def test_no_compression_no_cookies_no_environment_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    seen: list[web.Request] = []

    async def answer(request: web.Request) -> web.Response:
        seen.append(request)
        compressed = {"Content-Encoding": "gzip"} if request.path == "/gzip" else {}
        return web.Response(body=b"x", headers={"Set-Cookie": "a=b", **compressed})

    async with serving(answer) as port, client() as http:
        base = f"http://127.0.0.1:{port}"
        await http.get(base)
        await http.get(base)
        assert await code_of(http.get(f"{base}/gzip")) == "net.encoding"
    assert seen[0].headers["Accept-Encoding"] == "identity"
    assert "Cookie" not in seen[1].headers


@pytest.mark.parametrize(
    "url",
    ["", "x", "https://", "https:///x", "ftp://127.0.0.1/", "file:///etc/passwd", "https://user:secret@college.example/",
     "https://user@college.example/", "https://[::1", "https://[]@", "https://college.example:99999/", "https://a b/",
     "https://college.example/" + "x" * 5000, "https://\ud800/"],
)  # fmt: skip
async def test_a_url_that_cannot_be_used_is_refused_and_not_repeated(url: str) -> None:
    async with client(PUBLIC, {}) as http:
        with pytest.raises(LernodeError) as caught:
            await http.get(url)
    assert caught.value.code in {"net.url", "net.scheme", "net.unreachable"}
    assert "secret" not in str(caught.value)


def test_any_text_as_url_is_refused_with_a_lernode_error() -> None:
    @settings(max_examples=150, database=None)
    @given(
        st.sampled_from(["https://", "http://", ""]), st.text(max_size=30) | st.text("a.1:/@[]%?#\\\r\n", max_size=30)
    )
    def refused(scheme: str, rest: str) -> None:
        with pytest.raises(LernodeError):
            runner.run(http.get(scheme + rest))

    async def started() -> GuardedHttp:
        made = client(replace(LOOPBACK, allowed_networks=()), {})
        return await stack.enter_async_context(made)

    with asyncio.Runner() as runner:
        stack = AsyncExitStack()
        http = runner.run(started())
        refused()
        runner.run(stack.aclose())


async def test_a_client_that_is_not_running_says_so() -> None:
    http = GuardedHttp(LOOPBACK)
    with pytest.raises(WrongState):
        await http.get("https://127.0.0.1/")
    await http.start()
    await http.close()
    with pytest.raises(WrongState):
        await http.get("https://127.0.0.1/")


@pytest.mark.parametrize(
    ("status", "code"),
    [(404, "net.no_websocket"), (405, "net.no_websocket"), (200, "net.no_websocket"), (301, "net.no_websocket")]
    + [(status, "net.unreachable") for status in (429, 500, 502, 503, 504)],
)
async def test_a_websocket_that_is_refused_for_now_is_not_one_that_there_is_none_of(status: int, code: str) -> None:
    async def refuse(_request: web.Request) -> web.Response:
        return web.Response(status=status, headers={"Location": "/elsewhere"} if status == 301 else {})

    async with serving(refuse) as port, client() as http:
        assert await code_of(http.websocket(f"ws://127.0.0.1:{port}/", max_bytes=1024, heartbeat=30)) == code
