"""The floor: what a CDS Hooks service costs that parses the whole body and always answers with the same card."""

from typing import Any

import orjson
from fastapi import FastAPI, Request, Response

CARD = {
    "uuid": "7d6c3a52-0d0b-4f5c-8b9e-1f8a3b1c0d2e",
    "summary": "A constant card.",
    "indicator": "info",
    "source": {"label": "Floor"},
}


def create_app() -> FastAPI:
    app = FastAPI()

    @app.post("/cds-services/{service}")
    async def answer(service: str, request: Request) -> Response:
        body: dict[str, Any] = orjson.loads(await request.body())
        assert body["hook"]
        return Response(orjson.dumps({"cards": [CARD]}), media_type="application/json")

    return app
