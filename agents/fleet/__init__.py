"""How pools of pods follow their demand: what is there, what is needed, what is to be made or removed.

`members` reads the pods of pools with their agents and leases; `demand` counts what needs a slot; `scaling` decides,
for all pools of a cluster at once, and writes only rows; `victims` chooses whom a pool can do without; `draining` takes
a pod out of service where nothing holds a slot of it. None of these asks a cluster for anything.
"""
