"""The platform itself: settings, wiring, and what people and programs see."""

import gc

gc.set_threshold(20_000)  # Python's own 700 let a process spend a sixth of its start on looking for garbage
