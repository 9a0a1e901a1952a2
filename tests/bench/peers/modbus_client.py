"""Reads one block over and over with pymodbus, a task and a connection for each port: `modbus_client.py <at> <count> <port>...`.

Prints `ready`; each line `<ms>` on standard input is answered with blocks read, ms passed and CPU time used, us.
"""

import asyncio
import inspect
import sys
import time

from pymodbus.client import AsyncModbusTcpClient

# `slave` up to version 3.9, `device_id` from then on.
parameters = inspect.signature(AsyncModbusTcpClient.read_input_registers).parameters
unit = {"device_id" if "device_id" in parameters else "slave": 1}


async def read_on(client, at, count, end):
    blocks = 0
    while time.monotonic() < end:
        answer = await client.read_input_registers(at, count=count, **unit)
        if answer.isError() or len(answer.registers) != count:
            raise SystemExit(f"pymodbus: {answer}")
        blocks += 1
    return blocks


async def connected(port):
    client = AsyncModbusTcpClient("127.0.0.1", port=port)
    await client.connect()
    return client


async def main(at, count, ports):
    clients = [await connected(port) for port in ports]
    print("ready", flush=True)
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        began, used = time.monotonic(), time.process_time()
        end = began + float(line) / 1000
        blocks = await asyncio.gather(*(read_on(client, at, count, end) for client in clients))
        passed, cpu = time.monotonic() - began, time.process_time() - used
        print(sum(blocks), round(1000 * passed, 3), round(1e6 * cpu), flush=True)


asyncio.run(main(int(sys.argv[1]), int(sys.argv[2]), [int(port) for port in sys.argv[3:]]))
