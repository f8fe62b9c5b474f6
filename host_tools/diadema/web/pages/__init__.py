"""The supervisors' pages under /ui, one file each: a function `mount(app, service)` that declares
them. What they show they read through the worker; what is live or drawn is a module of its own.
"""
