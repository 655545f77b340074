"""The intent: who may talk to whom, as one frozen model, its laws and its meaning. Pure: no I/O outside `load`."""
