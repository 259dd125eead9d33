namespace OpenHands.Tests.Application;

/// <summary>Bodies that the web front end sends.</summary>
internal static class RecordedBodies
{
    /// <summary>What the dialog of the first run saves.</summary>
    public const string FirstRun = """
        {"llm_model":"openhands/claude-opus-4-5-20251101","agent":"CodeActAgent","language":"en","llm_api_key":"sk-test-123",
         "llm_api_key_set":true,"search_api_key_set":false,"confirmation_mode":false,"remote_runtime_resource_factor":1,
         "provider_tokens_set":{},"enable_default_condenser":true,"condenser_max_size":240,"enable_sound_notifications":false,
         "user_consents_to_analytics":false,"enable_proactive_conversation_starters":false,"enable_solvability_analysis":false,
         "search_api_key":"","is_new_user":true,"max_budget_per_task":null,"email":"","email_verified":true,
         "mcp_config":{"sse_servers":[],"stdio_servers":[],"shttp_servers":[]},"git_user_name":"openhands",
         "git_user_email":"openhands@all-hands.dev","v1_enabled":false}
        """;

    /// <summary>What the MCP page saves.</summary>
    public const string McpOnly = """
        {"mcp_config":{"sse_servers":[{"url":"http://127.0.0.1:4000/sse","api_key":"mcp-test-456"}],"stdio_servers":[],"shttp_servers":[]},"v1_enabled":true}
        """;
}
