// Stands for a module that the proxy does not have; nothing of it is used once its only user is replaced.
module github.com/agentgateway/agentgateway/api

go 1.26.0
