"""What Python costs, and what a sweep gains: CPU and wall seconds as ratios, taken in turns.

    PYTHONPATH=build/bench/python python3 benchmarks/python.py build/bench/bin/benchmark_run [--nodes N] [--rounds R]
"""

import argparse
import os
import pathlib
import statistics
import subprocess
import tempfile
import time

import numpy as np

import cardiotwin as ct


def slab(nodes):
    """A slab of about so many nodes 1 mm apart, paced from its corner."""
    side = (nodes / 6) ** 0.5
    anatomy = ct.Anatomy(ct.box_mesh((side, side, 5.0), 1.0))
    anatomy.add_site("corner", (0, 0, 0), 3.0)
    return ct.Twin(anatomy, ct.Tissue.library("post-infarct"))


def here(twin, duration, progress):
    sim = ct.Simulation(twin, dt=0.05, threads=1)
    sim.add(ct.Protocol.s1s2(twin.anatomy.sites[0], s1=400, beats=2))
    begun = time.process_time()
    sim.run(duration, progress=progress)
    return time.process_time() - begun


def overhead(program, twin, rounds):
    """CPU seconds of 1 s simulated, on one thread: as a C++ program, silent in Python, with a progress callable. What
    Python adds does not depend on the mesh, so a tiny one shows it best."""
    seen = []
    cases = {"C++": lambda: float(subprocess.run([program, path, "1000", "0.05"], check=True, capture_output=True,
                                                 text=True).stdout),
             "Python": lambda: here(twin, 1000, False),
             "Python, progress": lambda: here(twin, 1000, lambda what, done: seen.append(done))}
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "slab.twin"
        twin.save(path)
        taken = {name: [] for name in cases}
        for _ in range(rounds):
            for name, case in cases.items():
                taken[name].append(case())
    least = min(taken["C++"])
    print(f"1 s simulated, {twin.anatomy.mesh.node_count} nodes, dt 0.05 ms, 1 thread, {rounds} rounds")
    print("| from | least CPU [ms] | median [ms] | least beyond C++ [ms] |\n|---|---|---|---|")
    for name, each in taken.items():
        print(f"| {name} | {1e3 * min(each):.2f} | {1e3 * statistics.median(each):.2f} | {1e3 * (min(each) - least):.2f} |")
    print(f"{len(seen) // rounds} calls of progress a run")


def sweep(twin, rounds):
    """64 points as one ensemble, and as 64 runs one after the other: wall seconds."""
    axes = {"healthy.conductivity": np.linspace(0.5, 1, 8), "healthy.tau_in": np.linspace(0.2, 0.35, 8)}
    beat = ct.Protocol.s1s2(twin.anatomy.sites[0], beats=1)

    def singles():
        for factor in axes["healthy.conductivity"]:
            for tau_in in axes["healthy.tau_in"]:
                sim = ct.Simulation(twin, dt=0.1)
                sim.vary(ct.Variation(conductivity={"healthy": factor}, parameters={"healthy": {"tau_in": tau_in}}))
                sim.add(beat)
                sim.run(300, progress=False)

    taken = {"sweep": [], "singles": []}
    for _ in range(rounds):
        for name, run in (("sweep", lambda: ct.sweep(twin, axes, beat, 300, dt=0.1, progress=False)),
                          ("singles", singles)):
            begun = time.perf_counter()
            run()
            taken[name].append(time.perf_counter() - begun)
    print(f"\n64 points of 300 ms, {twin.anatomy.mesh.node_count} nodes, {os.cpu_count()} threads, {rounds} rounds")
    print(f"sweep {min(taken['sweep']):.1f} s, 64 runs {min(taken['singles']):.1f} s: "
          f"{min(taken['singles']) / min(taken['sweep']):.2f} times as fast")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", help="benchmark_run")
    parser.add_argument("--nodes", type=int, default=2000, help="of the sweep's heart")
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    overhead(given.program, slab(48), 10 * given.rounds)
    sweep(slab(given.nodes), given.rounds)
