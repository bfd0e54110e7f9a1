using TokenFactory.Catalog;

namespace TokenFactory.Tests.Catalog;

/// <summary>The names under which public measurements of serving and power go are names of the catalog.</summary>
public sealed class MeasuredNamesTests
{
    private static CatalogContents Catalog => CatalogFiles.Shipped;

    /// <summary>The keys under which measurements are gathered: of each the entry that it is found as.</summary>
    [Theory]
    [InlineData("a100-sxm-80gb", "a100-sxm-80gb")]
    [InlineData("b200", "b200")]
    [InlineData("b300", "b300")]
    [InlineData("gaudi3", "gaudi3")]
    [InlineData("gb200", "gb200-nvl72")]
    [InlineData("gb300", "gb300-nvl72")]
    [InlineData("gh200-144gb", "gh200-144gb")]
    [InlineData("gh200-96gb", "gh200-96gb")]
    [InlineData("h100-nvl", "h100-nvl")]
    [InlineData("h100-pcie", "h100-pcie")]
    [InlineData("h100-sxm", "h100-sxm")]
    [InlineData("h20", "h20")]
    [InlineData("h200-nvl", "h200-nvl")]
    [InlineData("h200-sxm", "h200-sxm")]
    [InlineData("h800", "h800")]
    [InlineData("l40s", "l40s")]
    [InlineData("mi300x", "mi300x")]
    [InlineData("mi325x", "mi325x")]
    [InlineData("mi350x", "mi350x")]
    [InlineData("mi355x", "mi355x")]
    [InlineData("rtx-4090", "rtx-4090")]
    [InlineData("rtx-pro-4500", "rtx-pro-4500")]
    [InlineData("rtx-pro-6000", "rtx-pro-6000")]
    [InlineData("tpu-v7", "tpu-v7")]
    public void Every_key_of_a_measured_accelerator_is_found(string key, string entry) =>
        Assert.Equal(entry, Catalog.AcceleratorNames.Find(key)?.Key);

    [Theory]
    [InlineData("bloom-176b", "bloom-176b")]
    [InlineData("deepseek-v3", "deepseek-v3")]
    [InlineData("deepseek-v4-pro", "deepseek-v4-pro")]
    [InlineData("falcon-180b", "falcon-180b")]
    [InlineData("glm-4.7", "glm-4.7")]
    [InlineData("gpt-j-6b", "gpt-j-6b")]
    [InlineData("gpt-oss-120b", "gpt-oss-120b")]
    [InlineData("gpt-oss-20b", "gpt-oss-20b")]
    [InlineData("kimi-k2", "kimi-k2")]
    [InlineData("llama-2-70b", "llama-2-70b")]
    [InlineData("llama-2-7b", "llama-2-7b")]
    [InlineData("llama-3.1-405b", "llama-3.1-405b")]
    [InlineData("llama-3.1-70b", "llama-3.1-70b")]
    [InlineData("llama-3.1-8b", "llama-3.1-8b")]
    [InlineData("llama-4-maverick", "llama-4-maverick")]
    [InlineData("minimax-m2.5", "minimax-m2.5")]
    [InlineData("minimax-m3", "minimax-m3")]
    [InlineData("mistral-7b", "mistral-7b")]
    [InlineData("mixtral-8x22b", "mixtral-8x22b")]
    [InlineData("mixtral-8x7b", "mixtral-8x7b")]
    [InlineData("qwen3-235b-a22b", "qwen3-235b-a22b")]
    [InlineData("qwen3-30b-a3b", "qwen3-30b-a3b")]
    [InlineData("qwen3-32b", "qwen3-32b")]
    [InlineData("qwen3-8b", "qwen3-8b")]
    [InlineData("qwen3.5-397b-a17b", "qwen3.5-397b-a17b")]
    public void Every_key_of_a_measured_model_is_found(string key, string entry) =>
        Assert.Equal(entry, Catalog.ModelNames.Find(key)?.Key);

    /// <summary>As InferenceX, MLPerf Inference, TensorRT-LLM and Splitwise write them.</summary>
    [Theory]
    [InlineData("b200", "NVIDIA B200-SXM-180GB", "B200-180GB (DGX)")]
    [InlineData("b300", "NVIDIA B300-SXM-270GB")]
    [InlineData("gaudi3", "Intel Gaudi 3 (HL-325L, 128 GB)")]
    [InlineData("gb200-nvl72", "NVIDIA GB200", "GB200 (NVL72)", "GB200-192GB (NVL72)")]
    [InlineData("gh200-144gb", "NVIDIA GH200 Grace Hopper Superchip 144GB")]
    [InlineData("gh200-96gb", "NVIDIA GH200 Grace Hopper Superchip 96GB", "GH200-480GB")]
    [InlineData("h100-nvl", "NVIDIA H100-NVL-94GB")]
    [InlineData("h100-pcie", "NVIDIA H100-PCIe-80GB")]
    [InlineData("h100-sxm", "NVIDIA H100-SXM-80GB", "H100-SXM-80GB")]
    [InlineData("h200-nvl", "NVIDIA H200-NVL-141GB")]
    [InlineData("h200-sxm", "NVIDIA H200-SXM-141GB", "H200-SXM-141GB")]
    [InlineData("l40s", "NVIDIA L40S")]
    [InlineData("mi300x", "AMD Instinct MI300X-NPS1-SPX-192GB-750W", "AMD MI300X-NPS1-SPX-192GB-750W", "AMD Instinct MI300X 192GB HBM3")]
    [InlineData("mi350x", "AMD Instinct MI350X 288GB HBM3e", "AMD Instinct MI350X")]
    [InlineData("mi355x", "AMD Instinct MI355X 288GB HBM3e")]
    [InlineData("rtx-4090", "NVIDIA GeForce RTX 4090", "RTX 4090")]
    [InlineData("rtx-pro-4500", "NVIDIA RTX PRO 4500 Blackwell")]
    [InlineData("rtx-pro-6000", "NVIDIA RTX PRO 6000 Blackwell Server Edition", "RTX PRO 6000 Blackwell Server", "RTX PRO 6000 Blackwell")]
    public void Accelerators_are_found_as_sources_write_them(string entry, params string[] names) =>
        Assert.All(names, name => Assert.Equal(entry, Catalog.AcceleratorNames.Find(name)?.Key));

    [Theory]
    [InlineData("deepseek-r1", "deepseek-r1", "deepseek-ai/DeepSeek-R1-0528", "DeepSeek-R1-0528", "nvidia/DeepSeek-R1-NVFP4",
        "DeepSeek-R1 (NVFP4)")]
    [InlineData("deepseek-v3", "DeepSeek-V3", "DeepSeek-V3/R1", "nvidia/DeepSeek-V3.1-NVFP4")]
    [InlineData("deepseek-v4-pro", "DeepSeek-V4-Pro")]
    [InlineData("falcon-180b", "Falcon 180B")]
    [InlineData("glm-4.7", "zai-org/GLM-4.7")]
    [InlineData("gpt-j-6b", "gptj", "GPT-J 6B")]
    [InlineData("gpt-oss-120b", "openai/gpt-oss-120b")]
    [InlineData("kimi-k2.5", "Kimi-K2.5", "moonshotai/Kimi-K2.5")]
    [InlineData("llama-2-70b", "llama2-70b")]
    [InlineData("llama-2-7b", "neuralmagic_Llama-2-7b-chat-hf-FP8")]
    [InlineData("llama-3.1-405b", "llama3.1-405b", "Llama 3.1 405B")]
    [InlineData("llama-3.1-70b", "meta-llama/Llama-3.1-70B", "LLaMA v3.1 70B", "LLaMA 3.1 70B")]
    [InlineData("llama-3.1-8b", "llama3.1-8b", "LLaMA v3.1 8B", "LLaMA 3.1 8B", "meta-llama/Llama-3.1-8B-Instruct")]
    [InlineData("llama-3.3-70b", "Llama-3.3-70B", "Llama 3.3 70B")]
    [InlineData("llama-4-maverick", "Llama 4 Maverick", "Llama-4-Maverick-17B-128E")]
    [InlineData("minimax-m2.5", "MiniMax-M2.5", "MiniMaxAI/MiniMax-M2.5")]
    [InlineData("minimax-m3", "MiniMax-M3")]
    [InlineData("mistral-7b", "Mistral 7B")]
    [InlineData("mixtral-8x22b", "Mixtral 8x22B")]
    [InlineData("mixtral-8x7b", "mixtral-8x7b", "Mixtral 8x7B")]
    [InlineData("qwen3-235b-a22b", "Qwen/Qwen3-235B-A22B-FP8", "Qwen3-235B-A22B")]
    [InlineData("qwen3-30b-a3b", "Qwen3-30B-A3B", "Qwen/Qwen3-30B-A3B-Instruct-2507")]
    [InlineData("qwen3-32b", "nvidia/Qwen3-32B-NVFP4", "Qwen/Qwen3-32B")]
    [InlineData("qwen3.5-397b-a17b", "Qwen3.5-397B-A17B", "Qwen/Qwen3.5-397B-A17B")]
    public void Models_are_found_as_sources_write_them(string entry, params string[] names) =>
        Assert.All(names, name => Assert.Equal(entry, Catalog.ModelNames.Find(name)?.Key));
}
