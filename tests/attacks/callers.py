"""Callers at the same time, each with a thread."""

import threading


class Callers:
    """So many of them, from `with` on until its end; each does what `call` says until `over`."""

    def __init__(self, count):
        self.over = False
        self.threads = [threading.Thread(target=self.call, daemon=True) for _ in range(count)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.over = True
        for thread in self.threads:
            thread.join()
