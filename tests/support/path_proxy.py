"""A proxy that serves another server under a path: ``path_proxy.py PORT UPSTREAM PREFIX``."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import StreamingResponse
from starlette.routing import Route

HOP_BY_HOP = {"connection", "content-length", "content-encoding", "host", "transfer-encoding"}


def main() -> None:
    """Serve until killed."""
    port, upstream, prefix = int(sys.argv[1]), sys.argv[2], sys.argv[3]
    client = httpx.AsyncClient(base_url=upstream, timeout=None)  # noqa: S113 - streams stay open

    async def forward(request: Request) -> StreamingResponse:
        path = request.url.path.removeprefix(prefix) or "/"
        kept = {k: v for k, v in request.headers.items() if k.lower() not in HOP_BY_HOP}
        sent = client.build_request(
            request.method,
            httpx.URL(path, query=request.url.query.encode()),
            headers=kept | {"x-forwarded-host": f"127.0.0.1:{port}", "x-forwarded-proto": "http"},
            content=await request.body(),
        )
        reply = await client.send(sent, stream=True)

        async def body() -> AsyncIterator[bytes]:
            async for chunk in reply.aiter_bytes():
                yield chunk

        headers = {k: v for k, v in reply.headers.items() if k.lower() not in HOP_BY_HOP}
        return StreamingResponse(
            body(), reply.status_code, headers, background=BackgroundTask(reply.aclose)
        )

    methods = ["GET", "POST", "HEAD", "PUT", "DELETE", "OPTIONS"]
    app = Starlette(routes=[Route(f"{prefix}{{path:path}}", forward, methods=methods)])
    uvicorn.run(app, port=port, log_level="critical")


if __name__ == "__main__":
    main()
