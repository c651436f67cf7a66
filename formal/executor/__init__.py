"""Calls carried out in processes of their own, here or on a cluster, behind the interface of `concurrent.futures.Executor`.

In: functions and arguments that can be pickled. Out: what they return or raise, as it comes. What takes too long is ended from outside; a
process that dies takes nothing else with it, and its call is tried again. It must not know what the functions do.
"""
