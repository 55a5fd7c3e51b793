# SPDX-License-Identifier: Apache-2.0
"""A real A2A agent on the SDK's own server: A2A 1.0 over HTTP/1.1 on the loopback address.

Usage: agent.py BINDING, which is JSONRPC or HTTP+JSON: what its card offers. It knows nothing of
gateways. What it does is chosen by the first word of the message:

    hello   completes at once with a greeting
    count   streams one artifact in three pieces
    book    asks for how many, then when, and completes with both answers
    slow    works until it is cancelled, saying so ten times a second
    fail    ends in TASK_STATE_FAILED
    headers answers with the names of the request's headers

It prints its address, then serves until it is stopped.
"""

import asyncio
import socket
import sys

import uvicorn
from a2a.server.agent_execution import AgentExecutor
from a2a.server.request_handlers import DefaultRequestHandler
from a2a.server.routes import (
    create_agent_card_routes, create_jsonrpc_routes, create_rest_routes)
from a2a.server.tasks import InMemoryTaskStore, TaskUpdater
from a2a.types import a2a_pb2 as pb
from starlette.applications import Starlette


def text(words):
    return [pb.Part(text=words)]


class Echo(AgentExecutor):
    async def execute(self, context, queue):
        task = TaskUpdater(queue, context.task_id, context.context_id)
        words = context.get_user_input()
        if context.current_task is None:
            first = pb.Task(id=context.task_id, context_id=context.context_id)
            first.status.state = pb.TaskState.TASK_STATE_SUBMITTED
            first.status.timestamp.GetCurrentTime()
            first.history.append(context.message)
            await queue.enqueue_event(first)
        else:
            said = [m.parts[0].text for m in context.current_task.history
                    if m.role == pb.Role.ROLE_USER]
            return await self.book(task, said + [words])
        match words.split()[0]:
            case "hello":
                await task.complete(task.new_agent_message(text("Hello to you.")))
            case "count":
                await task.start_work()
                for number in ("one", "two", "three"):
                    await task.add_artifact(
                        text(number), artifact_id="numbers", append=number != "one",
                        last_chunk=number == "three")
                    await asyncio.sleep(0.05)
                await task.complete()
            case "book":
                await self.book(task, [words])
            case "slow":
                while True:
                    await task.start_work(task.new_agent_message(text("Still at it.")))
                    await asyncio.sleep(0.1)
            case "headers":
                headers = context.call_context.state.get("headers", {})
                await task.complete(task.new_agent_message(text(" ".join(sorted(headers)))))
            case _:
                await task.failed(task.new_agent_message(text("I cannot do that.")))

    async def book(self, task, said):
        match said[1:]:
            case []:
                await task.requires_input(task.new_agent_message(text("For how many?")))
            case [_]:
                await task.requires_input(task.new_agent_message(text("And when?")))
            case [guests, time, *_]:
                booked = f"A table for {guests} at {time}."
                await task.complete(task.new_agent_message(text(booked)))

    async def cancel(self, context, queue):
        await TaskUpdater(queue, context.task_id, context.context_id).cancel()


def card(url, binding):
    return pb.AgentCard(
        name="Echo", description="Answers what it is told.", version="1.0.0",
        supported_interfaces=[
            pb.AgentInterface(url=url, protocol_binding=binding, protocol_version="1.0")],
        capabilities=pb.AgentCapabilities(streaming=True),
        default_input_modes=["text/plain"], default_output_modes=["text/plain"],
        skills=[pb.AgentSkill(id="echo", name="Echo", description="Answers.", tags=["test"])])


def main():
    listener = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
    offered = card(url, sys.argv[1])
    handler = DefaultRequestHandler(
        agent_executor=Echo(), task_store=InMemoryTaskStore(), agent_card=offered)
    served = (create_jsonrpc_routes(handler, "/") if sys.argv[1] == "JSONRPC"
              else create_rest_routes(handler))
    app = Starlette(routes=create_agent_card_routes(offered) + served)
    print(url, flush=True)
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
    asyncio.run(server.serve(sockets=[listener]))


if __name__ == "__main__":
    main()
